"""Documents to rows: concatenate and cut, nothing dropped.

A language's documents form one endless stream of tokens, pass after pass, each pass in an order of its own.
Row k of a language is the piece [k * L, (k + 1) * L) of that stream, so that any row can be read by itself. A
document that does not fit goes on in the language's next row.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sampler.index import Documents, Run
from sampler.order import permutation

PADDING = -1
"""Segment of positions that hold no token."""


class Row(NamedTuple):
    """One row of L tokens, all of one language."""

    tokens: NDArray[np.int64]
    """Token ids, [L]."""
    segments: NDArray[np.int32]
    """Document of each token, counted from 0 within the row, [L]."""
    positions: NDArray[np.int32]
    """Position of each token, from 0 where its document begins or goes on in this row, [L]."""
    language: int
    """Index into the stream's languages."""


class Batch(NamedTuple):
    """B rows of L tokens."""

    tokens: NDArray[np.int64]
    """Token ids, [B, L]."""
    segments: NDArray[np.int32]
    """Document of each token, counted from 0 within its row; ``PADDING`` where there is none, [B, L]."""
    positions: NDArray[np.int32]
    """Position of each token, from 0 where its document begins or goes on in this row, [B, L]."""
    languages: NDArray[np.int32]
    """Index of each row's language in the stream's languages, [B]."""


class Leg(NamedTuple):
    """One chunk of a pass in its order; n documents."""

    bounds: NDArray[np.int64]
    """Offset of each document in the leg and the leg's end, in tokens, [n + 1]."""
    starts: NDArray[np.int32]
    """Start of each document in its run's tokens, [n]."""
    runs: NDArray[np.int32]
    """Index of each document's run, [n]."""


class LegCache:
    """The legs in use, the longest unused dropped first.

    Args:
        documents: bound on the documents of all legs together, 16 bytes each.
    """

    def __init__(self, documents: int = 1 << 22) -> None:
        self._room = documents
        self._legs: OrderedDict[tuple[str, int, int], Leg] = OrderedDict()

    def get(self, key: tuple[str, int, int]) -> Leg | None:
        """A leg by language, pass and place in the pass."""
        leg = self._legs.get(key)
        if leg is not None:
            self._legs.move_to_end(key)
        return leg

    def put(self, key: tuple[str, int, int], leg: Leg) -> None:
        """Keep a leg."""
        self._legs[key] = leg
        self._room -= len(leg.runs)
        while self._room < 0 and len(self._legs) > 1:
            self._room += len(self._legs.popitem(last=False)[1].runs)


class TokenStream:
    """The endless token stream of one language.

    Args:
        documents: what it consists of; at least one.
        bos: id of the piece that begins each document.
        seed: of the order.
        cache: shared between languages.
    """

    def __init__(self, documents: Documents, bos: int, seed: int, cache: LegCache) -> None:
        self.documents = documents
        self.bos = bos
        self.seed = seed
        self._cache = cache
        self._pass = -1
        self._chunks: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._bounds: NDArray[np.int64] = np.zeros(1, dtype=np.int64)

    def fill(self, row: NDArray[np.int64], start: int, pieces: list[int]) -> None:
        """Copy tokens [start, start + L) of the stream.

        Args:
            row: int64 [L], written.
            start: token offset in the stream.
            pieces: the lengths of the documents' pieces in the row are appended.
        """
        filled, end = 0, len(row)
        while filled < end:
            leg, offset = self._at(start + filled)
            filled = self._copy(leg, offset, row, filled, pieces)

    def _copy(self, leg: Leg, offset: int, row: NDArray[np.int64], filled: int, pieces: list[int]) -> int:
        end = len(row)
        first = int(leg.bounds.searchsorted(offset, "right")) - 1
        last = int(leg.bounds.searchsorted(offset + end - filled, "left"))
        bounds = leg.bounds[first : last + 1].tolist()
        runs: list[Run] = self.documents.runs
        done = offset - bounds[0]
        for start, run, length in zip(
            leg.starts[first:last].tolist(),
            leg.runs[first:last].tolist(),
            (after - before for before, after in pairwise(bounds)),
            strict=False,
        ):
            take = min(length - done, end - filled)
            pieces.append(take)
            stop = filled + take
            source = start + done
            if done:
                source -= 1
            else:
                row[filled] = self.bos
                filled += 1
            if filled < stop:
                row[filled:stop] = runs[run].tokens[source : source + stop - filled]
            filled = stop
            done = 0
        return filled

    def _at(self, offset: int) -> tuple[Leg, int]:
        """The leg that holds a token of the stream, and the token's offset in it."""
        number, inside = divmod(offset, self.documents.tokens)
        if number != self._pass:
            self._begin(number)
        place = 0
        if len(self._chunks) > 1:
            place = int(self._bounds.searchsorted(inside, "right")) - 1
        key = (self.documents.lang, number, place)
        leg = self._cache.get(key)
        if leg is None:
            leg = self._leg(number, int(self._chunks[place]))
            self._cache.put(key, leg)
        return leg, inside - int(self._bounds[place])

    def _begin(self, number: int) -> None:
        order = permutation(self.documents.chunks, "chunks", self.documents.lang, number, self.seed)
        self._chunks = order
        self._bounds = np.concatenate([[0], np.cumsum(self.documents.chunk_tokens[order])])
        self._pass = number

    def _leg(self, number: int, chunk: int) -> Leg:
        lengths, starts, runs, _ = self.documents.chunk(chunk)
        order = permutation(len(runs), "documents", self.documents.lang, number, chunk, self.seed)
        bounds = np.zeros(len(runs) + 1, dtype=np.int64)
        np.cumsum(lengths[order], out=bounds[1:])
        return Leg(bounds, starts[order], runs[order])


def layout(pieces: list[int], rows: int, length: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Segments and positions of full rows.

    Args:
        pieces: lengths of the documents' pieces, row after row; they sum to rows * length.
        rows: B.
        length: L.

    Returns:
        segments and positions, each int32 [B, L].
    """
    counts = np.array(pieces, dtype=np.int64)
    starts = np.cumsum(counts) - counts
    row = starts // length
    first = np.searchsorted(row, np.arange(rows))
    segment = (np.arange(len(counts)) - first[row]).astype(np.int32)
    segments = np.repeat(segment, counts)
    positions = np.arange(rows * length, dtype=np.int32) - np.repeat(starts.astype(np.int32), counts)
    return segments.reshape(rows, length), positions.reshape(rows, length)
