"""Repeated n-grams, against a count of every one of them."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.repeats import LONGEST, ngrams

DOCUMENTS = st.lists(st.lists(st.integers(0, 3), max_size=40), min_size=1, max_size=6)


def hashed(documents: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    words = np.array([word for document in documents for word in document], np.uint64)
    owners = np.repeat(np.arange(len(documents)), [len(document) for document in documents])
    return (words + np.uint64(1)) * np.uint64(0xD6E8FEB86659FD93), owners


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS)
def test_counts_are_those_of_every_ngram(documents: list[list[int]]) -> None:
    found = ngrams(*hashed(documents), len(documents))
    for number, words in enumerate(documents):
        for n in range(2, LONGEST + 1):
            counts = Counter(tuple(words[at : at + n]) for at in range(len(words) - n + 1))
            most = max(counts.values(), default=0)
            assert max(found.most[number, n], 1) == max(most, 1)
            if n > 2:
                assert found.again[number, n] == counts.total() - len(counts)


def test_ngrams_end_with_their_document() -> None:
    found = ngrams(*hashed([[0, 1], [0, 1], [0, 1, 0, 1, 0]]), 3)
    assert found.most[:, 2].tolist() == [1, 1, 2]
    assert found.again[:, 3].tolist() == [0, 0, 1]


def test_no_words() -> None:
    found = ngrams(*hashed([[], []]), 2)
    assert found.most.sum() == found.again.sum() == 0
