"""Pieces of documents: tables that say where they lie, and the copying of their tokens.

A table of P pieces is one int32 array [5, P] with the rows ``RUN``, ``BEGIN``, ``LENGTH``, ``FLAGS`` and
``LANGUAGE``. A document of n tokens counts n + 1 in a stream: rows begin each document with the tokenizer's
``<s>``, which shards do not hold. So that every piece is one slice, ``BEGIN`` of a piece that begins its document
is the place before the document's first token, -1 at the start of a run's tokens, and ``<s>`` is written over
whatever was read from there.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sampler.passes import Passes

RUN, BEGIN, LENGTH, FLAGS, LANGUAGE = range(5)

BEGINS = 1
"""Flag of a piece that begins its document."""

ENDS = 2
"""Flag of a piece that ends its document."""

Table = NDArray[np.int32]


class Cuts(NamedTuple):
    """How items of a table are cut into P pieces that fill rows, and in which order the pieces lie."""

    items: NDArray[np.int64]
    """Column of the table that each piece is cut from, [P]."""
    offsets: NDArray[np.int64]
    """Tokens of the item before the piece, [P]."""
    lengths: NDArray[np.int64]
    """Tokens of each piece, [P]."""
    bounds: NDArray[np.int64]
    """First piece of each row, and P, [rows + 1]."""


class Buffers:
    """The tokens of runs as buffers, which are cut and joined faster than arrays.

    The runs of all languages are numbered as languages come; these numbers are what tables of pieces hold.

    Args:
        limit: bound on the buffers held. Beyond it all are let go, and those in use taken again.
        room: bound on the bytes they hold in memory; None where they are maps of files.
    """

    def __init__(self, limit: int = 1 << 14, room: int | None = None) -> None:
        self._limit = limit
        self._room = room
        self._passes: list[Passes] = []
        self._firsts: list[int] = []
        self._buffers: list[memoryview[int] | None] = []
        self._count = self._bytes = 0

    def register(self, passes: Passes) -> int:
        """Number a language's runs; the first one's number."""
        first = len(self._buffers)
        self._passes.append(passes)
        self._firsts.append(first)
        self._buffers.extend([None] * passes.runs)
        return first

    def parts(self, runs: list[int], begins: list[int], ends: list[int]) -> list[memoryview[int]]:
        """Tokens [begin, end) of runs, for P of each; what is before the first token is left out."""
        buffers: Any = self._buffers
        try:
            return [buffers[run][begin:end] for run, begin, end in zip(runs, begins, ends, strict=True)]
        except TypeError:  # one of the runs is not held, which is None
            used = {run: self._open(run) for run in set(runs)}
            return [used[run][begin:end] for run, begin, end in zip(runs, begins, ends, strict=True)]

    def _open(self, run: int) -> memoryview[int]:
        held = self._buffers[run]
        if held is None:
            owner = bisect_right(self._firsts, run) - 1
            tokens: Any = self._passes[owner].run(run - self._firsts[owner])
            held = memoryview(tokens)
            self._count += 1
            self._bytes += held.nbytes
            if self._count > self._limit or (self._room is not None and self._bytes > self._room):
                self._buffers = [None] * len(self._buffers)
                self._count, self._bytes = 1, held.nbytes
            self._buffers[run] = held
        return held


def stretch(passes: Passes, start: int, stop: int, language: int, first_run: int) -> Table:
    """The pieces of documents in tokens [start, stop) of a language's passes, in their order.

    Args:
        passes: over the language's documents.
        start: offset from the first token of the first pass.
        stop: offset to end before, above ``start``.
        language: index, written into the table.
        first_run: number of the passes' first run.

    Returns:
        int32 [5, P]; only the first and the last piece may be parts of documents.
    """
    lengths: list[NDArray[np.int64]] = []
    starts: list[NDArray[np.int32]] = []
    runs: list[NDArray[np.int32]] = []
    head, at = 0, start
    while at < stop:
        leg, offset = passes.locate(at)
        first = int(leg.bounds.searchsorted(offset, "right")) - 1
        last = min(int(leg.bounds.searchsorted(offset + stop - at, "left")), len(leg.runs))
        bounds = leg.bounds[first : last + 1]
        lengths.append(bounds[1:] - bounds[:-1])
        starts.append(leg.starts[first:last])
        runs.append(leg.runs[first:last])
        if at == start:
            head = offset - int(bounds[0])
        at += int(bounds[-1]) - offset
    count = sum(map(len, runs))
    table = np.empty((5, count), dtype=np.int32)
    np.concatenate(runs, out=table[RUN])
    np.concatenate(starts, out=table[BEGIN])
    np.concatenate(lengths, out=table[LENGTH], casting="same_kind")
    table[RUN] += first_run
    table[BEGIN] -= 1
    table[FLAGS] = BEGINS | ENDS
    table[LANGUAGE] = language
    if head:
        table[BEGIN, 0] += head
        table[LENGTH, 0] -= head
        table[FLAGS, 0] -= BEGINS
    if at > stop:
        table[LENGTH, -1] -= at - stop
        table[FLAGS, -1] -= ENDS
    return table


def cut(table: Table, cuts: Cuts) -> Table:
    """The pieces that the items of a table are cut into.

    Args:
        table: of D items.
        cuts: P pieces of them.

    Returns:
        int32 [5, P].
    """
    pieces = table.take(cuts.items, axis=1)
    pieces[FLAGS] &= np.where(cuts.offsets > 0, ENDS, BEGINS | ENDS) & np.where(
        cuts.offsets + cuts.lengths < pieces[LENGTH], BEGINS, BEGINS | ENDS
    )
    pieces[BEGIN] += cuts.offsets.astype(np.int32)
    pieces[LENGTH] = cuts.lengths
    return pieces


def read(table: Table, buffers: Buffers, bos: int, row_tokens: int) -> NDArray[np.uint16] | NDArray[np.uint32]:
    """The tokens of pieces that fill rows.

    Args:
        table: pieces in the order in which they lie.
        buffers: that the table's runs are numbers of.
        bos: id of the piece that begins each document.
        row_tokens: L.

    Returns:
        token ids in the type of the shards, [rows, L].
    """
    begins = table[BEGIN]
    columns = (table[RUN], np.maximum(begins, 0), begins + table[LENGTH])
    parts: list[Any] = buffers.parts(*(column.tolist() for column in columns))
    kind = np.dtype(parts[0].format)
    # Before the first document of a run there is nothing to write the piece over that begins it.
    for piece in np.flatnonzero(begins < 0)[::-1].tolist():
        parts.insert(piece, bytes(kind.itemsize))
    tokens = np.frombuffer(bytearray().join(parts), dtype=kind)
    places = np.cumsum(table[LENGTH], dtype=np.int64)
    places -= table[LENGTH]
    tokens[places[(table[FLAGS] & BEGINS) > 0]] = bos
    return tokens.reshape(-1, row_tokens)
