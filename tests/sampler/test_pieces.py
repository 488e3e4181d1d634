"""Pieces of documents and their tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampler.index import TokenCorpus
from sampler.packing import cut_at
from sampler.passes import LegCache, Passes
from sampler.pieces import LENGTH, Buffers, Stretch, cut, documents_in, read

BOS, EOS = 2, 3


def passes(root: str, cache: int = 1 << 20, seed: int = 0) -> Passes:
    return Passes(TokenCorpus(root, "spm", "train").documents("aaa_Latn"), seed, LegCache(cache))


def tokens_of(source: Passes, start: int, stop: int, length: int, buffers: Buffers | None = None) -> list[int]:
    """Tokens [start, stop) read in rows of a length, the last one shorter."""
    held = buffers or Buffers()
    held.register(source)
    tokens: list[int] = []
    for offset in range(start, stop, length):
        end = min(offset + length, stop)
        tokens.extend(read(documents_in([Stretch(source, offset, end, 0, 0)]), held, BOS, end - offset)[0].tolist())
    return tokens


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
    source = passes(root)
    size = sum(lengths) + len(lengths)
    tokens = tokens_of(source, 0, 3 * size, row)
    expected = sorted((BOS, *made_up.document(0, index, length)) for index, length in enumerate(lengths))
    for number in range(3):
        assert sorted(documents(tokens[number * size : (number + 1) * size])) == expected
    # Any other cut reads the same stream.
    assert tokens_of(passes(root), 0, 3 * size, 17) == tokens
    start = data.draw(st.integers(0, 3 * size - 1))
    assert tokens_of(passes(root), start, 3 * size, row) == tokens[start:]


def test_many_runs_are_mixed_and_complete(made_up: Any, tmp_path: Path) -> None:
    lengths = [2 + index % 3 for index in range(600)]
    # Batches of 16 documents make 38 runs, so five chunks.
    root = made_up.corpus(tmp_path, {"aaa_Latn": lengths}, files=2, batch=16)
    source = passes(root)
    assert source.documents.chunks == 5
    size = sum(lengths) + 600
    first = documents(tokens_of(source, 0, size, 64))
    second = documents(tokens_of(source, size, 2 * size, 64))
    expected = sorted((BOS, *made_up.document(0, index, length)) for index, length in enumerate(lengths))
    assert sorted(first) == sorted(second) == expected
    assert first != second
    assert documents(tokens_of(passes(root, seed=1), 0, size, 64)) != first
    # The first tenth of a pass holds documents from all over the language, not one stretch of it.
    order = {(BOS, *made_up.document(0, index, length)): index for index, length in enumerate(lengths)}
    places = [order[text] for text in first[:60]]
    assert min(places) < 150
    assert max(places) > 450


def test_a_cache_too_small_for_one_leg_changes_nothing(made_up: Any, tmp_path: Path) -> None:
    root = made_up.corpus(tmp_path, {"aaa_Latn": [5] * 100}, batch=4)
    assert tokens_of(passes(root, cache=1), 0, 1800, 32) == tokens_of(passes(root), 0, 1800, 32)


def test_four_byte_tokens(made_up: Any, tmp_path: Path) -> None:
    root = made_up.corpus(tmp_path, {"aaa_Latn": [4, 3]}, vocabulary=100_000)
    assert sorted(documents(tokens_of(passes(root), 0, 9, 9))) == [
        (2, 10, 11, 12, 3),
        (2, 41, 42, 3),
    ]


def test_buffers_that_may_hold_little_read_the_same(made_up: Any, tmp_path: Path) -> None:
    root = made_up.corpus(tmp_path, {"aaa_Latn": [5, 6, 7] * 40}, batch=4)
    expected = tokens_of(passes(root), 0, 1700, 50)
    assert tokens_of(passes(root), 0, 1700, 50, Buffers(limit=2)) == expected
    assert tokens_of(passes(root), 0, 1700, 50, Buffers(room=100)) == expected


def test_a_stretch_is_cut_where_it_is_asked_for(made_up: Any, tmp_path: Path) -> None:
    source = passes(made_up.corpus(tmp_path, {"aaa_Latn": [3, 5]}))
    whole = documents_in([Stretch(source, 0, 10, 7, 100)])
    # Run, begin, length, whether it begins its document (1) and ends it (2), language.
    assert sorted(map(tuple, whole.T.tolist())) == [(100, -1, 4, 3, 7), (100, 2, 6, 3, 7)]
    first, second = whole[LENGTH].tolist()
    part = documents_in([Stretch(source, 1, first + 2, 7, 100)])
    assert part[:, 0].tolist() == [100, int(whole[1, 0]) + 1, first - 1, 2, 7]
    assert part[:, 1].tolist() == [100, int(whole[1, 1]), 2, 1, 7]
    # A part of the second document's middle, across nothing.
    middle = documents_in([Stretch(source, first + 1, first + 3, 7, 100)])
    assert middle.T.tolist() == [[100, int(whole[1, 1]) + 1, 2, 0, 7]]
    again = cut(whole, cut_at(whole[LENGTH], np.array([0, 1, first + 2, first + second])))
    assert again[:, 1:3].T.tolist() == part.T.tolist()


def test_stretches_lie_one_behind_the_other(made_up: Any, tmp_path: Path) -> None:
    source = passes(made_up.corpus(tmp_path, {"aaa_Latn": [3, 5, 30]}, batch=1))
    wanted = [Stretch(source, 0, 41, 7, 100), Stretch(source, 4, 6, 2, 0), Stretch(source, 38, 95, 5, 10)]
    together = documents_in(wanted)
    assert together.tolist() == np.concatenate([documents_in([one]) for one in wanted], axis=1).tolist()
    assert set(zip(together[4].tolist(), (together[0] // 10).tolist(), strict=True)) == {(7, 10), (2, 0), (5, 1)}
    assert together[LENGTH].sum() == 41 + 2 + 57
