"""Documents to rows: concatenate and cut, nothing dropped.

A language's documents form one endless stream of tokens, pass after pass, each pass in an order of its own.
Row k of a language is the piece [k * L, (k + 1) * L) of that stream, so that any row can be read by itself. A
document that does not fit goes on in the language's next row.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sampler.passes import Leg, Passes

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


class TokenStream:
    """The endless token stream of one language.

    Args:
        passes: what it consists of.
        bos: id of the piece that begins each document.
    """

    def __init__(self, passes: Passes, bos: int) -> None:
        self.passes = passes
        self.bos = bos

    def fill(self, row: NDArray[np.int64], start: int, pieces: list[int]) -> None:
        """Copy tokens [start, start + L) of the stream.

        Args:
            row: int64 [L], written.
            start: token offset in the stream.
            pieces: the lengths of the documents' pieces in the row are appended.
        """
        filled, end = 0, len(row)
        while filled < end:
            leg, offset = self.passes.locate(start + filled)
            filled = self._copy(leg, offset, row, filled, pieces)

    def _copy(self, leg: Leg, offset: int, row: NDArray[np.int64], filled: int, pieces: list[int]) -> int:
        end = len(row)
        first = int(leg.bounds.searchsorted(offset, "right")) - 1
        last = int(leg.bounds.searchsorted(offset + end - filled, "left"))
        bounds = leg.bounds[first : last + 1].tolist()
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
                row[filled:stop] = self.passes.run(run)[source : source + stop - filled]
            filled = stop
            done = 0
        return filled


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
