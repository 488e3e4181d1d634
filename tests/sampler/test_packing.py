"""Documents to rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampler.index import TokenCorpus
from sampler.packing import TokenStream, layout
from sampler.passes import LegCache, Passes

BOS, EOS = 2, 3


def stream(root: str, cache: int = 1 << 20, seed: int = 0) -> TokenStream:
    documents = TokenCorpus(root, "spm", "train").documents("aaa_Latn")
    return TokenStream(Passes(documents, seed, LegCache(cache)), BOS)


def read(source: TokenStream, start: int, stop: int, length: int) -> tuple[list[int], list[int]]:
    """Tokens [start, stop) in rows of a length, and the lengths of the pieces."""
    pieces: list[int] = []
    tokens: list[int] = []
    for offset in range(start, stop, length):
        row = np.full(length, -7, dtype=np.int64)
        source.fill(row, offset, pieces)
        tokens.extend(row.tolist())
    return tokens[: stop - start], pieces


def documents(tokens: list[int]) -> list[tuple[int, ...]]:
    """Cut a stream behind each end of a document."""
    found: list[tuple[int, ...]] = []
    begin = 0
    for end, token in enumerate(tokens, 1):
        if token == EOS:
            found.append(tuple(tokens[begin:end]))
            begin = end
    assert begin == len(tokens)
    return found


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=50), row=st.integers(1, 40), data=st.data())
def test_a_pass_holds_every_document_once_and_nothing_is_lost(
    made_up: Any, tmp_path_factory: pytest.TempPathFactory, lengths: list[int], row: int, data: st.DataObject
) -> None:
    files, batch = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 60))
    root = made_up.corpus(tmp_path_factory.mktemp("c"), {"aaa_Latn": lengths}, files=files, batch=batch)
    source = stream(root)
    size = sum(lengths) + len(lengths)
    tokens, pieces = read(source, 0, 3 * size, row)
    assert sum(pieces) == -(-3 * size // row) * row
    expected = sorted((BOS, *made_up.document(0, index, length)) for index, length in enumerate(lengths))
    for number in range(3):
        assert sorted(documents(tokens[number * size : (number + 1) * size])) == expected
    # Any other cut reads the same stream.
    assert read(stream(root), 0, 3 * size, 17)[0] == tokens
    start = data.draw(st.integers(0, 3 * size - 1))
    assert read(stream(root), start, 3 * size, row)[0] == tokens[start:]


def test_many_runs_are_mixed_and_complete(made_up: Any, tmp_path: Path) -> None:
    lengths = [2 + index % 3 for index in range(600)]
    # Batches of 16 documents make 38 runs, so five chunks.
    root = made_up.corpus(tmp_path, {"aaa_Latn": lengths}, files=2, batch=16)
    source = stream(root)
    assert source.passes.documents.chunks == 5
    size = sum(lengths) + 600
    first = documents(read(source, 0, size, 64)[0])
    second = documents(read(source, size, 2 * size, 64)[0])
    expected = sorted((BOS, *made_up.document(0, index, length)) for index, length in enumerate(lengths))
    assert sorted(first) == sorted(second) == expected
    assert first != second
    assert documents(read(stream(root, seed=1), 0, size, 64)[0]) != first
    # The first tenth of a pass holds documents from all over the language, not one stretch of it.
    order = {(BOS, *made_up.document(0, index, length)): index for index, length in enumerate(lengths)}
    places = [order[text] for text in first[:60]]
    assert min(places) < 150
    assert max(places) > 450


def test_a_cache_too_small_for_one_leg_changes_nothing(made_up: Any, tmp_path: Path) -> None:
    root = made_up.corpus(tmp_path, {"aaa_Latn": [5] * 100}, batch=4)
    assert read(stream(root, cache=1), 0, 1800, 32) == read(stream(root), 0, 1800, 32)


def test_four_byte_tokens(made_up: Any, tmp_path: Path) -> None:
    root = made_up.corpus(tmp_path, {"aaa_Latn": [4, 3]}, vocabulary=100_000)
    assert sorted(documents(read(stream(root), 0, 9, 9)[0])) == [
        (2, 10, 11, 12, 3),
        (2, 41, 42, 3),
    ]


def test_layout_counts_segments_and_positions_from_zero_in_each_row() -> None:
    segments, positions = layout([2, 3, 4, 1, 5], 3, 5)
    assert segments.tolist() == [[0, 0, 1, 1, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]
    assert positions.tolist() == [[0, 1, 0, 1, 2], [0, 1, 2, 3, 0], [0, 1, 2, 3, 4]]
    assert segments.dtype == positions.dtype == np.int32
