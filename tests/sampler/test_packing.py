"""Laying documents into rows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampler.packing import best_fit, concatenate, cut_at
from sampler.pieces import Cuts

LENGTHS = np.array([6, 3, 5, 4, 7, 2, 5], dtype=np.int64)


def rows_of(cuts: Cuts) -> list[list[tuple[int, int, int]]]:
    """Item, offset in it and length of each piece of each row."""
    pieces = list(zip(cuts.items.tolist(), cuts.offsets.tolist(), cuts.lengths.tolist(), strict=True))
    return [pieces[first:last] for first, last in pairwise(cuts.bounds.tolist())]


def test_concatenate_cuts_where_rows_end() -> None:
    assert rows_of(concatenate(LENGTHS, 4, 8)) == [
        [(0, 0, 6), (1, 0, 2)],
        [(1, 2, 1), (2, 0, 5), (3, 0, 2)],
        [(3, 2, 2), (4, 0, 6)],
        [(4, 6, 1), (5, 0, 2), (6, 0, 5)],
    ]


def test_best_fit_cuts_nothing_where_all_fit() -> None:
    # 6 + 2, 3 + 5, 4 + 4 and 5 + 3 fill four rows of 8.
    found = rows_of(best_fit(np.array([6, 3, 4, 5, 2, 4, 5, 3]), 4, 8, "key"))
    assert sorted(found) == [
        [(0, 0, 6), (4, 0, 2)],
        [(1, 0, 3), (3, 0, 5)],
        [(2, 0, 4), (5, 0, 4)],
        [(6, 0, 5), (7, 0, 3)],
    ]


def test_best_fit_cuts_fewer_documents_and_fills_the_gaps_with_what_is_left() -> None:
    # From the longest: 7, 6, 5 and 5 open the four rows, 4 finds no room, 3 goes to a row with 5, 2 to the one with
    # 6, full then. The 4 is cut to fill the gaps of 1 and 3.
    found = rows_of(best_fit(LENGTHS, 4, 8, "key"))
    assert sorted(map(len, found)) == [2, 2, 2, 2]
    whole = [[piece for piece in row if piece[0] != 3] for row in found]
    assert sorted(whole) == [[(0, 0, 6), (5, 0, 2)], [(1, 0, 3), (2, 0, 5)], [(4, 0, 7)], [(6, 0, 5)]]
    cut = [piece for row in found for piece in row if piece[0] == 3]
    assert cut in ([(3, 0, 1), (3, 1, 3)], [(3, 0, 3), (3, 3, 1)])
    assert documents_cut(concatenate(LENGTHS, 4, 8)) == 3
    assert documents_cut(best_fit(LENGTHS, 4, 8, "key")) == 1


def test_long_documents_fill_rows_of_their_own_and_their_rest_comes_after() -> None:
    found = rows_of(best_fit(np.array([3, 21, 5, 3]), 4, 8, 1))
    full = [[(1, 0, 8)], [(1, 8, 8)]]
    assert [row for row in found if len(row) == 1] == full
    first = found.index(full[0])
    assert found[first : first + 2] == full
    assert found[first + 2] == [(1, 16, 5), (3, 0, 3)] or found[first + 2] == [(0, 0, 3), (1, 16, 5)]


def test_only_full_rows() -> None:
    assert rows_of(best_fit(np.array([16, 8]), 3, 8)) == [[(0, 0, 8)], [(0, 8, 8)], [(1, 0, 8)]]


def test_the_order_of_rows_depends_on_the_key_alone() -> None:
    lengths = np.full(40, 4)
    first = rows_of(best_fit(lengths, 20, 8, "swh_Latn", 1))
    assert first == rows_of(best_fit(lengths, 20, 8, "swh_Latn", 1))
    assert first != rows_of(best_fit(lengths, 20, 8, "swh_Latn", 2))
    assert sorted(first) == sorted(rows_of(best_fit(lengths, 20, 8, "swh_Latn", 2)))


def test_cut_at_other_places() -> None:
    assert rows_of(cut_at(np.array([3, 4]), np.array([0, 2, 3, 7]))) == [[(0, 0, 2)], [(0, 2, 1)], [(1, 0, 4)]]


def documents_cut(cuts: Cuts) -> int:
    return int((np.bincount(cuts.items) > 1).sum())


@pytest.mark.parametrize("pack", [concatenate, best_fit])
@settings(max_examples=150, deadline=None)
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=60), row=st.integers(1, 24), key=st.integers(0, 9))
def test_rows_are_full_and_hold_every_token_once_and_in_order(
    pack: Any, lengths: list[int], row: int, key: int
) -> None:
    short = -sum(lengths) % row
    sizes = np.array([*lengths, short] if short else lengths)
    rows = int(sizes.sum()) // row
    cuts = pack(sizes, rows, row) if pack is concatenate else pack(sizes, rows, row, key)
    found = rows_of(cuts)
    assert [sum(length for _, _, length in pieces) for pieces in found] == [row] * rows
    done = [0] * len(sizes)
    for pieces in found:
        assert [item for item, _, _ in pieces] == sorted({item for item, _, _ in pieces})
        for item, offset, length in pieces:
            assert offset == done[item]
            assert length > 0
            done[item] += length
    assert done == sizes.tolist()


@settings(max_examples=60, deadline=None)
@given(lengths=st.lists(st.integers(1, 12), min_size=40, max_size=80))
def test_best_fit_cuts_no_more_documents_than_concatenation(lengths: list[int]) -> None:
    sizes = np.array([*lengths, *([1] * (-sum(lengths) % 24))])
    rows = int(sizes.sum()) // 24
    assert documents_cut(best_fit(sizes, rows, 24, "key")) <= documents_cut(concatenate(sizes, rows, 24))
