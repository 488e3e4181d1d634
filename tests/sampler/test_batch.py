"""Rows as the trainer gets them."""

from __future__ import annotations

import numpy as np
import pytest

from sampler.batch import MIXED, Batch

# Run, begin, length, flags (1 begins, 2 ends), language.
PIECES = np.array([[0, 0, 0, 0, 0], [0, 1, 2, 3, 4], [2, 3, 4, 1, 5], [2, 1, 2, 3, 0], [7, 7, 7, 9, 9]], dtype=np.int32)


@pytest.fixture
def batch() -> Batch:
    tokens = np.arange(15, dtype=np.uint16).reshape(3, 5)
    return Batch(tokens, np.array([7, MIXED, 9], dtype=np.int32), PIECES, np.array([0, 2, 4, 5]))


def test_what_a_table_of_pieces_says_of_each_token(batch: Batch) -> None:
    assert len(batch) == 3
    assert batch.tokens.tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14]]
    assert batch.segments.tolist() == [[0, 0, 1, 1, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]
    assert batch.positions.tolist() == [[0, 1, 0, 1, 2], [0, 1, 2, 3, 0], [0, 1, 2, 3, 4]]
    assert batch.token_languages.tolist() == [[7, 7, 7, 7, 7], [7, 7, 7, 7, 9], [9, 9, 9, 9, 9]]
    assert batch.cu_seqlens.tolist() == [0, 2, 5, 9, 10, 15]
    assert batch.piece_rows.tolist() == [0, 0, 1, 1, 2]
    assert batch.piece_lengths.tolist() == [2, 3, 4, 1, 5]
    assert batch.piece_languages.tolist() == [7, 7, 7, 9, 9]
    assert batch.piece_begins.tolist() == [False, True, False, True, False]
    assert batch.piece_ends.tolist() == [True, False, True, True, False]
    assert batch.tokens.dtype == np.int64
    assert batch.compact.dtype == np.uint16
    assert {array.dtype for array in (batch.segments, batch.positions, batch.token_languages)} == {np.dtype(np.int32)}
    assert {array.dtype for array in (batch.cu_seqlens, batch.piece_rows, batch.piece_lengths)} == {np.dtype(np.int32)}


def test_arrays_are_made_once(batch: Batch) -> None:
    assert batch.segments is batch.segments
    assert batch.tokens is batch.tokens


def test_a_row_is_its_part_of_the_batch(batch: Batch) -> None:
    row = batch.row(1)
    assert row.language == MIXED
    assert row.tokens.tolist() == [5, 6, 7, 8, 9]
    assert row.segments.tolist() == [0, 0, 0, 0, 1]
    assert row.positions.tolist() == [0, 1, 2, 3, 0]
    assert row.token_languages.tolist() == [7, 7, 7, 7, 9]
    assert row.cu_seqlens.tolist() == [0, 4, 5]
    assert row.piece_lengths.tolist() == [4, 1]
    assert row.piece_languages.tolist() == [7, 9]
    assert row.piece_begins.tolist() == [False, True]
    assert row.piece_ends.tolist() == [True, True]
    assert batch.row(0).language == 7
