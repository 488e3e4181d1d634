"""The rows of one language, planned a window at a time.

Row k of a language lies in window k // W. A window takes W * L neighbouring tokens of the language's passes, so
any row can be planned by itself, and neighbours share the work. Windows in use are kept, as tables of the pieces
in their rows; tokens are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sampler.config import Packing
from sampler.packing import best_fit, concatenate, cut_at
from sampler.passes import Passes
from sampler.pieces import LENGTH, Stretch, Table, cut, documents_in, places

_WINDOW_TOKENS = 1 << 16
_WINDOW_PASSES = 64
_MADE_TOGETHER = 64
_NUMBER_BITS = 44
_NUMBER_MASK = (1 << _NUMBER_BITS) - 1


def window_rows(sizes: Sequence[int], row_tokens: int) -> NDArray[np.int64]:
    """W of each language, a power of two.

    Windows are as large as pays: about 2**16 tokens, and for small languages at most 64 passes.

    Args:
        sizes: tokens of each language, [K].
        row_tokens: L.

    Returns:
        int64 [K].
    """
    tokens = np.minimum(np.array(sizes, dtype=np.int64) * _WINDOW_PASSES, _WINDOW_TOKENS)
    rows = np.maximum(tokens // row_tokens, 1)
    exponents: NDArray[np.int64] = np.frexp(rows.astype(np.float64))[1].astype(np.int64) - 1
    return np.left_shift(np.int64(1), exponents)


class Made(NamedTuple):
    """Rows of windows, window after window."""

    pieces: Table
    """The rows' pieces, row after row, [5, P]."""
    counts: NDArray[np.int64]
    """Pieces of each row."""


class Windows:
    """The windows in use, of all languages, in one table; the longest unused are dropped when it is full.

    Args:
        make: windows by language and number, one behind the other.
        rows: W of each language, [K].
        pieces: bound on the pieces held, at most 28 bytes each; what is asked for at once is held whatever it is.
    """

    def __init__(
        self, make: Callable[[Sequence[tuple[int, int]]], Made], rows: NDArray[np.int64], pieces: int = 1 << 21
    ) -> None:
        self._make = make
        self._rows = rows
        # Piece by piece, so that those of a row lie together. Memory that was not written to costs nothing.
        self._pieces = np.empty((pieces, 5), dtype=np.int32)
        self._bounds = np.zeros(pieces + 1, dtype=np.int64)
        """First piece of each row held, and the end of the last one."""
        self._held: dict[int, int] = {}
        """First row of each window, the longest unused window first."""
        self._end = 0
        """Rows held, those of windows that were dropped since the table was last full included."""

    def take(self, languages: NDArray[np.int32], ordinals: NDArray[np.int64]) -> tuple[Table, NDArray[np.int64]]:
        """The pieces of rows.

        Args:
            languages: of n rows.
            ordinals: of the rows in their languages.

        Returns:
            int32 [5, P], and the first piece of each row in it, and P, int64 [n + 1].
        """
        heights = self._rows[languages]
        numbers = ordinals // heights
        keys, owners = np.unique((languages.astype(np.int64) << _NUMBER_BITS) | numbers, return_inverse=True)
        rows = np.array(self._find(keys.tolist()), dtype=np.int64)[owners]
        rows += ordinals - numbers * heights
        firsts = self._bounds[rows]
        chosen, bounds = places(firsts, self._bounds[rows + 1] - firsts)
        return np.ascontiguousarray(self._pieces.take(chosen, axis=0).T), bounds

    def _find(self, keys: list[int]) -> list[int]:
        """The first row of windows; those that are not held are made."""
        held, missing = self._held, []
        for key in keys:
            row = held.pop(key, None)
            if row is None:
                missing.append(key)
            else:
                held[key] = row
        for first in range(0, len(missing), _MADE_TOGETHER):
            self._add(missing[first : first + _MADE_TOGETHER], len(keys) - len(missing) + first)
        return [self._held[key] for key in keys]

    def _add(self, keys: list[int], used: int) -> None:
        """Make windows and hold them, with as many of those used last at least."""
        made = self._make([(key >> _NUMBER_BITS, key & _NUMBER_MASK) for key in keys])
        count = made.pieces.shape[1]
        if int(self._bounds[self._end]) + count > len(self._pieces):
            self._make_room(count, used)
        first = int(self._bounds[self._end])
        self._pieces[first : first + count] = made.pieces.T
        rows = slice(self._end + 1, self._end + 1 + len(made.counts))
        np.cumsum(made.counts, out=self._bounds[rows])
        self._bounds[rows] += first
        for key in keys:
            self._held[key] = self._end
            self._end += int(self._rows[key >> _NUMBER_BITS])

    def _make_room(self, count: int, used: int) -> None:
        """Drop windows so that half of the table is free, and as much as asked for."""
        room = len(self._pieces)
        kept: list[int] = []
        rows: list[NDArray[np.int64]] = [np.zeros(0, dtype=np.int64)]
        size = 0
        for key, row in reversed(self._held.items()):
            end = row + int(self._rows[key >> _NUMBER_BITS])
            size += int(self._bounds[end] - self._bounds[row])
            if len(kept) >= used and size > min(room // 2, room - count):
                break
            kept.append(key)
            rows.append(np.arange(row, end))
        chosen = np.concatenate(rows[::-1])
        firsts = self._bounds[chosen]
        chosen, bounds = places(firsts, self._bounds[chosen + 1] - firsts)
        pieces = self._pieces.take(chosen, axis=0)
        if len(pieces) + count > room:
            room = 2 * (len(pieces) + count)
            self._pieces, self._bounds = np.empty((room, 5), dtype=np.int32), np.zeros(room + 1, dtype=np.int64)
        self._pieces[: len(pieces)] = pieces
        self._bounds[: len(bounds)] = bounds
        self._held, self._end = {}, 0
        for key in reversed(kept):
            self._held[key] = self._end
            self._end += int(self._rows[key >> _NUMBER_BITS])


class LanguageRows:
    """The endless rows of one language.

    Args:
        passes: over its documents.
        language: index in the stream's languages.
        first_run: number of the passes' first run, see :class:`sampler.pieces.Buffers`.
        row_tokens: L.
        window_rows: W.
        packing: how its documents are laid into rows.
    """

    def __init__(
        self, passes: Passes, *, language: int, first_run: int, row_tokens: int, window_rows: int, packing: Packing
    ) -> None:
        self.passes = passes
        self.language = language
        self.first_run = first_run
        self.row_tokens = row_tokens
        self.window_rows = window_rows
        self.packing = packing

    def documents(self, first: int, last: int) -> Table:
        """The documents in the tokens of rows [first, last), whole but for the first and the last."""
        return documents_in([self.stretch(first, last)])

    def stretch(self, first: int, last: int) -> Stretch:
        """The tokens of rows [first, last)."""
        length = self.row_tokens
        return Stretch(self.passes, first * length, last * length, self.language, self.first_run)

    def best_fit(self, number: int) -> Made:
        """Rows [number * W, (number + 1) * W), packed by best fit."""
        documents = self.documents(number * self.window_rows, (number + 1) * self.window_rows)
        edges = self._edges(number)
        parts = cut_at(documents[LENGTH], edges * self.row_tokens)
        table = cut(documents, parts)
        tables, counts = [], []
        for index, rows in enumerate(np.diff(edges).tolist()):
            part = table[:, parts.bounds[index] : parts.bounds[index + 1]]
            if rows == 1:
                tables.append(part)
                counts.append(np.array([part.shape[1]]))
                continue
            key = ("rows", self.passes.documents.lang, number, index, self.passes.seed)
            cuts = best_fit(part[LENGTH], rows, self.row_tokens, *key)
            tables.append(cut(part, cuts))
            counts.append(np.diff(cuts.bounds))
        return Made(np.concatenate(tables, axis=1), np.concatenate(counts))

    def _edges(self, number: int) -> NDArray[np.int64]:
        """The rows between which a window's rows are packed by themselves, from 0 to W.

        Rows that hold the end of a pass stay as they are: else documents of the next pass could come before the
        last ones of this pass.
        """
        size, length = self.passes.tokens, self.row_tokens
        start = number * self.window_rows * length
        stop = start + self.window_rows * length
        ends = np.arange(start // size + 1, (stop - 1) // size + 1, dtype=np.int64) * size - start
        return np.unique(np.concatenate([[0, self.window_rows], ends // length, -(-ends // length)]))


def make(wanted: Sequence[tuple[LanguageRows, int]]) -> Made:
    """Windows of languages packed alike, one behind the other.

    Args:
        wanted: the language and the number of each window, rows [number * W, (number + 1) * W) of the language.
    """
    if wanted[0][0].packing == "best_fit":
        parts = [rows.best_fit(number) for rows, number in wanted]
        return Made(
            np.concatenate([one.pieces for one in parts], axis=1), np.concatenate([one.counts for one in parts])
        )
    # Every window fills its rows, so that they can be cut as if they were one.
    table = documents_in(
        [rows.stretch(number * rows.window_rows, (number + 1) * rows.window_rows) for rows, number in wanted]
    )
    cuts = concatenate(table[LENGTH], sum(rows.window_rows for rows, _ in wanted), wanted[0][0].row_tokens)
    return Made(cut(table, cuts), np.diff(cuts.bounds))
