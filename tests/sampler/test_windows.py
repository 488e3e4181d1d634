"""The rows of one language."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampler.config import Packing
from sampler.index import TokenCorpus
from sampler.passes import LegCache, Passes
from sampler.windows import LanguageRows, Window, Windows, window_rows


def test_windows_are_powers_of_two_of_about_as_many_tokens() -> None:
    assert window_rows([10_000_000, 2_000, 200, 1], 1024).tolist() == [64, 64, 8, 1]
    assert window_rows([10_000_000, 6_000], 48).tolist() == [1024, 1024]
    assert window_rows([10_000_000], 1 << 20).tolist() == [1]


def language_rows(root: str, packing: Packing, row: int, height: int, seed: int = 0) -> LanguageRows:
    passes = Passes(TokenCorpus(root, "spm", "train").documents("aaa_Latn"), seed, LegCache())
    return LanguageRows(passes, language=4, first_run=0, row_tokens=row, window_rows=height, packing=packing)


def read_rows(rows: LanguageRows, windows: int) -> list[list[tuple[int, int, int, int]]]:
    """Run, begin, length and flags of the pieces of each row."""
    found = []
    for number in range(windows):
        window = rows.window(number)
        items = list(window.pieces)
        for first, last in pairwise(window.edges):
            row = [tuple(items[at : at + 4]) for at in range(first, last, 5)]
            assert all(items[at + 4] == 4 for at in range(first, last, 5))
            found.append(row)
        assert window.counts == [len(row) for row in found[-rows.window_rows :]]
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


def test_windows_are_kept_within_bounds() -> None:
    made: list[tuple[int, int]] = []

    def make(source: int, number: int) -> Window:
        made.append((source, number))
        return Window(memoryview(bytes(20)).cast("i"), [0, 5], [1])

    windows = Windows(make, pieces=2)
    for key in [(0, 0), (1, 0), (0, 0), (2, 0), (0, 0), (1, 0)]:
        assert windows.get(*key).counts == [1]
    # Two fit in a generation; what was used in the one before is not made again.
    assert made == [(0, 0), (1, 0), (2, 0)]
    for number in range(5):
        windows.get(3, number)
    windows.get(0, 0)
    assert made[-1] == (0, 0)
