"""What classifiers see."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.naturalness.features import BITS, Words, character_ngrams


def test_character_ngrams_are_counted_within_a_passage() -> None:
    counts = character_ngrams(["abab", "", "b", "cab"], orders=(2,))
    assert counts.shape == (4, 1 << BITS)
    assert sorted(counts[0].data) == [1, 2]  # ba, ab; never "bb" across passages
    assert counts[1].nnz == 0
    assert counts[2].nnz == 0
    assert sorted(counts[3].data) == [1, 1]
    shared = counts[0].multiply(counts[3])
    assert shared.data.tolist() == [2]  # ab
    assert character_ngrams(["abab"]).sum() == 4 + 3 + 2 + 1
    assert character_ngrams([]).shape == (0, 1 << BITS)


def test_widespread_words_are_counted_by_passage() -> None:
    words = Words(["The goat, the goat, the goat.", "the river", "a river", "a the"])
    # "the" in three of four passages, "river" and "a" in two, "goat" in one.
    assert len(words.widespread(0.5)) == 3
    assert len(words.widespread(0.75)) == 1
    assert len(words.widespread(0.01)) == 3  # two passages at least


def test_style_does_not_see_other_words() -> None:
    texts = [
        "The goat of the river, and a song.",
        "The child of the market, and a boat.",
        "Of the goat the, and a song.",
    ]
    words = Words([*texts, "the of and a"])
    frequent = np.intersect1d(words.widespread(0.75), Words(["the of and a", "the of and a"]).widespread(1))
    assert len(frequent) == 4
    rows = words.style(frequent)
    assert (rows[0] != rows[1]).nnz == 0
    assert (rows[0] != rows[2]).nnz > 0
    # the _ of the _ , and a _ .: ten symbols, nine pairs, eight threes.
    assert rows[0].sum() == pytest.approx(27)


def test_style_of_nothing() -> None:
    words = Words(["", "12"])
    assert words.style(words.widespread(0.1)).shape == (2, 1 << BITS)
    assert Words([]).style(np.empty(0, np.uint64)).shape == (0, 1 << BITS)
