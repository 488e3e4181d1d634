"""The rows of one language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampler.config import Packing
from sampler.index import TokenCorpus
from sampler.passes import LegCache, Passes
from sampler.windows import LanguageRows, Made, Windows, make, window_rows


def test_windows_are_powers_of_two_of_about_as_many_tokens() -> None:
    assert window_rows([10_000_000, 2_000, 200, 1], 1024).tolist() == [64, 64, 8, 1]
    assert window_rows([10_000_000, 6_000], 48).tolist() == [1024, 1024]
    assert window_rows([10_000_000], 1 << 20).tolist() == [1]


def language_rows(root: str, packing: Packing, row: int, height: int, seed: int = 0) -> LanguageRows:
    passes = Passes(TokenCorpus(root, "spm", "train").documents("aaa_Latn"), seed, LegCache())
    return LanguageRows(passes, language=4, first_run=0, row_tokens=row, window_rows=height, packing=packing)


def read_rows(rows: LanguageRows, windows: int) -> list[list[tuple[int, int, int, int]]]:
    """Run, begin, length and flags of the pieces of each row."""
    found: list[list[tuple[int, int, int, int]]] = []
    for number in range(windows):
        window = make([(rows, number)])
        pieces = window.pieces.T.tolist()
        assert all(piece[4] == 4 for piece in pieces)
        edges = [0, *accumulate(window.counts.tolist())]
        assert edges[-1] == len(pieces)
        assert len(window.counts) == rows.window_rows
        found += [[tuple(piece[:4]) for piece in pieces[first:last]] for first, last in pairwise(edges)]
    return found


def passes_of(rows: LanguageRows, found: list[list[tuple[int, int, int, int]]]) -> Counter[tuple[int, int]]:
    """How often each document ended, after checking row by row that none comes again before the others came."""
    ends: dict[tuple[int, int], int] = {}
    for run in range(rows.passes.runs):
        offsets = rows.passes.documents.run(run).offsets.tolist()
        ends.update({(run, start): end for start, end in pairwise(offsets)})
    size = {document: ends[document] - document[1] + 1 for document in ends}
    done = dict.fromkeys(ends, 0)
    times = Counter(dict.fromkeys(ends, 0))
    for row in found:
        assert sum(length for _, _, length, _ in row) == rows.row_tokens
        for run, begin, length, flags in row:
            # A piece that begins its document lies one place before it, where ``<s>`` is written.
            place = begin + (flags & 1)
            document = max(known for known in ends if known[0] == run and known[1] <= place)
            assert begin + 1 - document[1] == done[document]
            assert bool(flags & 1) == (done[document] == 0)
            if done[document] == 0:
                assert times[document] == min(times.values())
            done[document] += length
            assert bool(flags & 2) == (done[document] == size[document])
            if flags & 2:
                done[document] = 0
                times[document] += 1
    return times


@pytest.mark.parametrize("packing", ["concatenate", "best_fit"])
@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=25),
    row=st.integers(2, 30),
    height=st.sampled_from([1, 2, 8, 32]),
)
def test_every_token_of_every_pass_comes_once_in_order_and_no_document_before_its_turn(
    made_up: Any, tmp_path_factory: pytest.TempPathFactory, packing: Packing, lengths: list[int], row: int, height: int
) -> None:
    root = made_up.corpus(tmp_path_factory.mktemp("c"), {"aaa_Latn": lengths}, batch=16)
    rows = language_rows(root, packing, row, height)
    size = sum(lengths) + len(lengths)
    windows = -(-2 * size // (row * height)) + 1
    times = passes_of(rows, read_rows(rows, windows))
    tokens = windows * height * row
    assert set(times.values()) <= {tokens // size, tokens // size - 1, tokens // size + 1}


def test_best_fit_keeps_more_documents_whole(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = made_up.corpus(tmp_path_factory.mktemp("c"), {"aaa_Latn": [3, 5, 7, 4, 2, 9] * 50})
    whole = {}
    for packing in ("concatenate", "best_fit"):
        found = read_rows(language_rows(root, packing, 16, 16), 6)
        whole[packing] = sum(flags == 3 for row in found for _, _, _, flags in row)
    # 96 rows hold about 256 documents of six tokens; concatenation cuts nearly one for each row.
    assert whole == {"concatenate": 169, "best_fit": 241}


@pytest.mark.parametrize("packing", ["concatenate", "best_fit"])
def test_windows_made_together_are_those_made_alone(
    made_up: Any, tmp_path_factory: pytest.TempPathFactory, packing: Packing
) -> None:
    root = made_up.corpus(tmp_path_factory.mktemp("c"), {"aaa_Latn": [3, 5, 47, 4, 2, 9, 1]})
    small, large = (language_rows(root, packing, 16, height) for height in (1, 8))
    wanted = [(small, 0), (large, 3), (small, 5), (large, 0), (small, 6)]
    together = make(wanted)
    alone = [make([one]) for one in wanted]
    assert together.pieces.tolist() == np.concatenate([one.pieces for one in alone], axis=1).tolist()
    assert together.counts.tolist() == np.concatenate([one.counts for one in alone]).tolist()
    assert len(together.counts) == 19


class Maker:
    """Windows of two rows, whose pieces say the language, the number and the row: one in the first, two in the next."""

    def __init__(self) -> None:
        self.made: list[list[tuple[int, int]]] = []

    def __call__(self, wanted: Sequence[tuple[int, int]]) -> Made:
        self.made.append(list(wanted))
        pieces = [[one, number, row, 0, 0] for one, number in wanted for row in (0, 1, 1)]
        return Made(np.array(pieces, dtype=np.int32).T, np.array([1, 2] * len(wanted)))


def taken(windows: Windows, *rows: tuple[int, int]) -> list[list[list[int]]]:
    """Language, number and row of the pieces of rows, given by language and ordinal."""
    languages, ordinals = zip(*rows, strict=True)
    pieces, bounds = windows.take(np.array(languages, dtype=np.int32), np.array(ordinals))
    assert len(bounds) == len(rows) + 1
    return [pieces[:3, first:last].T.tolist() for first, last in pairwise(bounds.tolist())]


def test_rows_are_taken_in_the_order_asked_for_from_windows_made_once() -> None:
    maker = Maker()
    windows = Windows(maker, np.array([2, 2, 2]))
    assert taken(windows, (2, 5), (0, 0), (2, 4)) == [[[2, 2, 1], [2, 2, 1]], [[0, 0, 0]], [[2, 2, 0]]]
    assert taken(windows, (0, 1), (1, 1), (2, 4)) == [[[0, 0, 1]] * 2, [[1, 0, 1]] * 2, [[2, 2, 0]]]
    assert maker.made == [[(0, 0), (2, 2)], [(1, 0)]]


def test_the_windows_used_last_are_kept_when_the_table_is_full() -> None:
    maker = Maker()
    windows = Windows(maker, np.array([2] * 4), pieces=12)
    for number in (0, 1, 2, 0, 3):  # four windows of three pieces fill it
        assert taken(windows, (0, 2 * number)) == [[[0, number, 0]]]
    assert taken(windows, (1, 0)) == [[[1, 0, 0]]]  # half is kept: the two used last
    assert [number for [(_, number)] in maker.made] == [0, 1, 2, 3, 0]
    assert taken(windows, (0, 0), (0, 7), (1, 1)) == [[[0, 0, 0]], [[0, 3, 1]] * 2, [[1, 0, 1]] * 2]
    assert len(maker.made) == 5
    assert taken(windows, (0, 4)) == [[[0, 2, 0]]]
    assert maker.made[5:] == [[(0, 2)]]


def test_what_is_asked_for_at_once_is_held_whatever_it_is() -> None:
    maker = Maker()
    windows = Windows(maker, np.array([2] * 300), pieces=5)
    rows = [(language, language % 7) for language in range(300)]
    expected = [[[one, row // 2, row % 2]] * (1 + row % 2) for one, row in rows]
    assert taken(windows, *rows[:1]) == expected[:1]
    assert taken(windows, *reversed(rows)) == expected[::-1]
    assert taken(windows, *rows) == expected
    assert sum(map(len, maker.made)) == 300


@settings(deadline=None)
@given(
    asked=st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), min_size=1, max_size=12), min_size=1, max_size=12
    ),
    room=st.integers(1, 40),
)
def test_rows_are_the_same_whatever_is_held(asked: list[list[tuple[int, int]]], room: int) -> None:
    windows = Windows(Maker(), np.array([2] * 4), pieces=room)
    for rows in asked:
        assert taken(windows, *rows) == [[[one, row // 2, row % 2]] * (1 + row % 2) for one, row in rows]
