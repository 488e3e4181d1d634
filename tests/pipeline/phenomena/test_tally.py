"""Counting features exactly, in parts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.phenomena.tally import Tally, chosen, tally


def counted(keys: list[int], sentences: list[int], documents: list[int], sources: list[int], limit: int = 100) -> Tally:
    return tally(
        np.array(keys, np.uint64),
        np.array(sentences, np.int64),
        np.array(documents, np.int64),
        np.array(sources, np.uint64),
        limit,
    )


def test_a_feature_counts_once_in_a_sentence_and_once_in_a_document() -> None:
    # Sentences 0 and 1 are of document 0, sentence 2 of document 1; feature 7 is twice in sentence 0.
    found = counted([7, 7, 9, 7, 7], [0, 0, 0, 1, 2], [0, 0, 1], [3, 5])
    assert found.keys.tolist() == [7, 9]
    assert found.sentences.tolist() == [3, 1]
    assert found.documents.tolist() == [2, 1]
    assert found.sources.tolist() == [1 << 3 | 1 << 5, 1 << 3]
    assert found.level == 0


def test_parts_add_up() -> None:
    one, two = counted([7, 9], [0, 0], [0], [3]), counted([7, 8], [0, 1], [0, 0], [3])
    both = one.merge(two, 100)
    assert both.keys.tolist() == [7, 8, 9]
    assert both.sentences.tolist() == [2, 1, 1]
    assert both.documents.tolist() == [2, 1, 1]
    assert both.sources.tolist() == [8, 8, 8]


def test_nothing_is_counted_in_nothing() -> None:
    assert counted([], [], [], []) == Tally()
    assert Tally().merge(Tally(), 10) == Tally()


def test_a_full_table_keeps_a_share_of_the_features_with_exact_counts() -> None:
    keys = list(range(1000)) * 2
    found = counted(keys, [0] * 1000 + [1] * 1000, [0, 1], [1, 1], limit=300)
    assert found.level == 2
    assert 150 < len(found.keys) <= 300
    assert set(found.sentences.tolist()) == {2}
    assert found.keys.tolist() == [key for key in range(1000) if chosen(np.array([key], np.uint64), 2)[0]]


@given(st.lists(st.lists(st.integers(0, 60), max_size=30), max_size=6), st.integers(1, 20), st.randoms())
def test_the_order_of_parts_makes_no_difference(parts: list[list[int]], limit: int, random: object) -> None:
    tallies = [counted(part, [0] * len(part), [0], [number]) for number, part in enumerate(parts)]
    forwards = Tally()
    for part in tallies:
        forwards = forwards.merge(part, limit)
    random.shuffle(tallies)  # type: ignore[attr-defined]
    backwards = Tally()
    for part in tallies:
        backwards = part.merge(backwards, limit)
    assert forwards == backwards
    assert len(forwards.keys) <= limit
    everything = [key for part in parts for key in set(part)]
    assert forwards.sentences.tolist() == [everything.count(key) for key in forwards.keys.tolist()]
