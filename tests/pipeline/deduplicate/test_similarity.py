from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.deduplicate.shingles import Shingles
from pipeline.deduplicate.similarity import shingle_sets, similarity


def of(*documents: list[int]) -> Shingles:
    spread = np.array([value for document in documents for value in document], np.uint64) << np.uint64(50)
    return Shingles(spread, np.cumsum([0, *map(len, documents)]), np.ones(len(documents), np.int64))


def test_values() -> None:
    sets = shingle_sets(of([1, 2, 3, 4, 4], [3, 4, 5, 6], [], [1, 2]))
    assert sets.sizes.tolist() == [4, 4, 0, 2]
    jaccard, first_in, second_in = similarity(sets, np.array([0, 0, 3, 2, 2]), np.array([1, 3, 0, 0, 2]))
    assert jaccard.tolist() == pytest.approx([2 / 6, 2 / 4, 2 / 4, 0, 0])
    assert first_in.tolist() == pytest.approx([2 / 4, 2 / 4, 1, 0, 0])
    assert second_in.tolist() == pytest.approx([2 / 4, 1, 2 / 4, 0, 0])


def test_no_shingles_at_all() -> None:
    sets = shingle_sets(of([], []))
    assert [values.tolist() for values in similarity(sets, np.array([0]), np.array([1]))] == [[0], [0], [0]]


@given(st.lists(st.lists(st.integers(0, 12), max_size=12), min_size=1, max_size=6), st.data())
def test_agrees_with_sets(documents: list[list[int]], data: st.DataObject) -> None:
    rows = st.integers(0, len(documents) - 1)
    pairs = data.draw(st.lists(st.tuples(rows, rows), min_size=1, max_size=10))
    first, second = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
    jaccard, _, second_in = similarity(shingle_sets(of(*documents)), first, second)
    for position, (one, two) in enumerate(pairs):
        left, right = set(documents[one]), set(documents[two])
        assert jaccard[position] == pytest.approx(len(left & right) / max(1, len(left | right)))
        assert second_in[position] == pytest.approx(len(left & right) / max(1, len(right)))
