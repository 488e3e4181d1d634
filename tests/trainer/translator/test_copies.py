from __future__ import annotations

from collections import Counter

import numpy as np

from corpus.translations import SentencePair
from tests.trainer.translator.conftest import WORDS, reversed_words
from trainer.translator.copies import copies

PAIRS = reversed_words(60)
MADE = {word[::-1] + "o" for word in WORDS}


def test_rows_are_written_as_they_are() -> None:
    found = copies(PAIRS, both=False, most=200)
    assert {pair.direction for pair in found} == {("eng_Latn", "afr_Latn")}
    assert all(pair.text == pair.translation for pair in found)
    rows = [pair.text.split() for pair in found]
    assert {word for row in rows for word in row} == MADE
    assert {len(row) for row in rows} == set(range(1, 16))
    # Fourteen words make few rows of one word that differ.
    assert 180 < len(found) == len(set(found)) < 200


def test_words_of_both_sides_where_asked_for() -> None:
    found = copies(PAIRS, both=True, most=200)
    assert {word for pair in found for word in pair.text.split()} == {*MADE, *WORDS}


def test_rare_words_are_nearly_as_frequent_as_others() -> None:
    rare = [f"perd{n}" for n in range(40)]
    pairs = [SentencePair("eng_Latn", "afr_Latn", "x", " ".join(["die"] * 1024 + rare))]
    counts = Counter(word for pair in copies(pairs, both=False, most=2000) for word in pair.text.split())
    # 1024 ** 0.3 = 8.0
    assert 7 < counts["die"] / np.mean([counts[word] for word in rare]) < 9


def test_directions_and_seeds_have_rows_of_their_own() -> None:
    both = [*PAIRS, *reversed_words(60, "nld_Latn", "en")]
    found = copies(both, both=False, most=50)
    assert [pair for pair in found if pair.target == "afr_Latn"] == copies(PAIRS[::-1], both=False, most=50)
    assert copies(PAIRS, both=False, seed=1, most=50) != copies(PAIRS, both=False, most=50)
    assert copies([], both=True) == []
