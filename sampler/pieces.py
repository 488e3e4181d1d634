"""Pieces of documents: tables that say where they lie, and the copying of their tokens.

A table of P pieces is one int32 array [5, P] with the rows ``RUN``, ``BEGIN``, ``LENGTH``, ``FLAGS`` and
``LANGUAGE``. A document of n tokens counts n + 1 in a stream: rows begin each document with the tokenizer's
``<s>``, which shards do not hold. So that every piece is one slice, ``BEGIN`` of a piece that begins its document
is the place before the document's first token, -1 at the start of a run's tokens, and ``<s>`` is written over
whatever was read from there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
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


class Stretch(NamedTuple):
    """Tokens [start, stop) of a language's passes, counted from the first token of the first pass."""

    passes: Passes
    """Over the language's documents."""
    start: int
    stop: int
    """Above ``start``."""
    language: int
    """Index, written into the table."""
    first_run: int
    """Number of the passes' first run."""


def documents_in(stretches: Sequence[Stretch]) -> Table:
    """The pieces of documents in stretches of languages' passes, one stretch behind the other, in their order.

    Many at once cost less than one by one, since most of them hold few documents.

    Args:
        stretches: at least one.

    Returns:
        int32 [5, P]; only the first and the last piece of a stretch may be parts of documents.
    """
    lengths: list[NDArray[np.int64]] = []
    starts: list[NDArray[np.int32]] = []
    runs: list[NDArray[np.int32]] = []
    # Of each stretch: its pieces, and what its first and its last document have outside of it.
    counts, heads, tails = [], [], []
    for passes, start, stop, _, _ in stretches:
        count, at = 0, start
        while at < stop:
            leg, offset = passes.locate(at)
            first = int(leg.bounds.searchsorted(offset, "right")) - 1
            last = min(int(leg.bounds.searchsorted(offset + stop - at, "left")), len(leg.runs))
            bounds = leg.bounds[first : last + 1]
            lengths.append(bounds[1:] - bounds[:-1])
            starts.append(leg.starts[first:last])
            runs.append(leg.runs[first:last])
            count += last - first
            if at == start:
                heads.append(offset - int(bounds[0]))
            at += int(bounds[-1]) - offset
        counts.append(count)
        tails.append(at - stop)
    table = np.empty((5, sum(counts)), dtype=np.int32)
    np.concatenate(runs, out=table[RUN])
    np.concatenate(starts, out=table[BEGIN])
    np.concatenate(lengths, out=table[LENGTH], casting="same_kind")
    owners = np.array([(one.first_run, one.language) for one in stretches], dtype=np.int32)
    table[RUN] += np.repeat(owners[:, 0], counts)
    table[BEGIN] -= 1
    table[FLAGS] = BEGINS | ENDS
    table[LANGUAGE] = np.repeat(owners[:, 1], counts)
    lasts = np.cumsum(counts) - 1
    firsts = lasts + 1 - counts
    before, after = np.array(heads, dtype=np.int32), np.array(tails, dtype=np.int32)
    table[BEGIN, firsts] += before
    table[LENGTH, firsts] -= before
    table[FLAGS, firsts] -= BEGINS * (before > 0)
    table[LENGTH, lasts] -= after
    table[FLAGS, lasts] -= ENDS * (after > 0)
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


def places(firsts: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the pieces of some of a table's rows lie.

    Args:
        firsts: first piece of each of n rows in the table.
        counts: pieces of each.

    Returns:
        the place of each piece in the table, int64 [P], and the first piece of each row among them, and P, int64
        [n + 1].
    """
    bounds = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=bounds[1:])
    found = np.arange(bounds[-1])
    found += np.repeat(firsts - bounds[:-1], counts)
    return found, bounds


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
    starts = np.cumsum(table[LENGTH], dtype=np.int64)
    starts -= table[LENGTH]
    tokens[starts[(table[FLAGS] & BEGINS) > 0]] = bos
    return tokens.reshape(-1, row_tokens)
