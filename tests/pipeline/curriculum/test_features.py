"""What is counted in documents."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curriculum.features import SHARE_OF_NGRAMS, Features, fold_table, read_features


def features(*texts: str) -> Features:
    (found,) = read_features(pa.array(texts, pa.string()))
    return found


def test_case_and_digits_are_folded() -> None:
    table = fold_table()
    assert "".join(chr(table[ord(character)]) for character in "AbÉЖΣİ7٣½") == "abéжσİ00½"
    one, two = features("In 1984 Paris"), features("in 2025 PARIS")
    assert one.word_keys.tolist() == two.word_keys.tolist()


def test_equal_words_and_pairs_have_equal_keys() -> None:
    found = features("the sea the sea", "sea")
    assert found.word_keys[0] == found.word_keys[2] != found.word_keys[1] == found.word_keys[4]
    pairs = found.pair_keys()
    assert pairs[[0, 4]].tolist() == [0, 0]  # no word before the first of a document
    assert pairs[1] == pairs[3] != pairs[2]
    assert found.sizes.tolist() == [12, 3]


def ngrams(text: str, order: int) -> list[str]:
    """Every n-gram that lies in a word, with one character before and after."""
    return [
        text[start : start + order]
        for start in range(len(text) - order + 1)
        if all(character.isalnum() for character in text[start + 1 : start + order - 1])
    ]


@pytest.mark.parametrize("order", [3, 5])
def test_ngrams_are_a_quarter_by_hash_of_those_in_words(order: int) -> None:
    text = "the quick brown fox jumps over the lazy dog, and the dog sleeps all day. " * 3
    found = features(text)
    keys, starts = found.ngrams(order)
    by_key: dict[int, set[str]] = {}
    for key, start in zip(keys.tolist(), starts.tolist(), strict=True):
        by_key.setdefault(key, set()).add(text[start : start + order])
    chosen = {piece for pieces in by_key.values() for piece in pieces}
    everything = ngrams(text, order)
    assert all(len(pieces) == 1 for pieces in by_key.values())
    assert [text[start : start + order] for start in starts] == [piece for piece in everything if piece in chosen]
    assert 0 < len(chosen) < len(set(everything)) / (SHARE_OF_NGRAMS / 2)


def test_ngrams_do_not_reach_into_the_next_document() -> None:
    together = features("water", "melon", "", "water")
    apart = [features(text).ngrams(3).keys.tolist() for text in ("water", "melon", "water")]
    assert together.ngrams(3).keys.tolist() == [key for keys in apart for key in keys]


def test_constructions_leave_all_but_function_words_open() -> None:
    one, two = features("the sea of ice, and"), features("the land of fire, and")
    other = features("the sea in ice, and")
    functions = np.array([True, False, True, False, True])
    keys = [found.constructions(functions).keys.tolist() for found in (one, two, other)]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 3  # the _ of _ / _ of _ , / of _ , and
    assert not set(keys[0]) & set(keys[2])
    assert one.constructions(np.zeros(5, np.bool_)).keys.tolist() != keys[0]
    assert features("a b").constructions(np.zeros(2, np.bool_)).keys.tolist() == []


@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=8))
def test_features_of_a_document_do_not_depend_on_its_neighbours(texts: list[str]) -> None:
    together = features(*texts)
    for number, text in enumerate(texts):
        alone = features(text)
        assert together.sizes[number] == alone.sizes[0]
        assert together.word_keys[together.words.owners == number].tolist() == alone.word_keys.tolist()
        assert together.pair_keys()[together.words.owners == number].tolist() == alone.pair_keys().tolist()
        keys, starts = together.ngrams(3)
        assert keys[together.owners_of(starts) == number].tolist() == alone.ngrams(3).keys.tolist()


def test_empty_documents_have_no_features() -> None:
    assert list(read_features(pa.array(["", None, ""], pa.string()))) == []
    found = features("", "sea", "")
    assert found.sizes.tolist() == [0, 3, 0]
