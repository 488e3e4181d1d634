from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.language_id.ngrams import hashed_ngrams

TEXTS = st.lists(
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=12), min_size=1, max_size=6
)


def test_counts_of_a_literal_text() -> None:
    # " ab ": 3 single characters of which one twice, 3 pairs, 2 triples; the word "ab".
    found = hashed_ngrams(["ab"], longest=3, bits=24)
    assert len(found.features) == 3 + 3 + 2 + 1
    assert found.owners.tolist() == [0] * 9


def test_a_word_is_the_same_feature_in_any_place_and_not_its_ngram() -> None:
    inside = hashed_ngrams(["left word right"], 1, 24).features
    alone = hashed_ngrams(["word"], 1, 24).features
    letters = hashed_ngrams(["d o r w"], 1, 24).features
    shared = set(inside.tolist()) & (set(alone.tolist()) - set(letters.tolist()))
    assert len(shared) == 1
    assert not shared & set(hashed_ngrams(["words"], 5, 24).features.tolist())


def test_repeats_count_once_and_white_space_is_folded() -> None:
    once, twice = hashed_ngrams(["na na"], 2, 20), hashed_ngrams(["  na \t na na na "], 2, 20)
    assert np.array_equal(once.features, twice.features)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(1, 6))
def test_a_text_does_not_depend_on_its_neighbours(texts: list[str], longest: int) -> None:
    together = hashed_ngrams(texts, longest, 20)
    assert np.all(np.diff(together.owners) >= 0)
    for number, text in enumerate(texts):
        alone = hashed_ngrams([text], longest, 20).features
        assert np.array_equal(together.features[together.owners == number], alone)


@pytest.mark.parametrize("lines", [[], [""], ["", " "]])
def test_texts_without_letters(lines: list[str]) -> None:
    found = hashed_ngrams(lines, 5, 18)
    assert set(found.features.tolist()) == set(hashed_ngrams([""], 5, 18).features.tolist()) or not lines
