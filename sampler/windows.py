"""The rows of one language, planned a window at a time.

Row k of a language lies in window k // W. A window takes W * L neighbouring tokens of the language's passes, so
any row can be planned by itself, and neighbours share the work. Windows in use are kept, as tables of the pieces
in their rows; tokens are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sampler.config import Packing
from sampler.packing import best_fit, concatenate, cut_at
from sampler.passes import Passes
from sampler.pieces import LENGTH, Table, cut, stretch

_WINDOW_TOKENS = 1 << 16
_WINDOW_PASSES = 64


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


class Window(NamedTuple):
    """W rows of one language."""

    pieces: memoryview[int]
    """The table of the rows' pieces, row after row, piece by piece: int32 [5 * P]."""
    edges: list[int]
    """First item of each row in ``pieces``, and 5 * P, [W + 1]."""
    counts: list[int]
    """Pieces of each row, [W]."""


class Windows:
    """The windows in use, of all languages; the longest unused are dropped first.

    Args:
        make: a window by language and number.
        pieces: bound on the pieces in each of two generations, 20 bytes each and as much again for the rows.
    """

    def __init__(self, make: Callable[[int, int], Window], pieces: int = 1 << 20) -> None:
        self._make = make
        self._limit = pieces
        self._held = 0
        # Windows used since the generation began, and those of the one before: cheaper than to order them all.
        self._young: dict[tuple[int, int], Window] = {}
        self._old: dict[tuple[int, int], Window] = {}

    def get(self, language: int, number: int) -> Window:
        """A window by language and number."""
        key = (language, number)
        found = self._young.get(key)
        if found is None:
            found = self._old.pop(key, None) or self._make(language, number)
            self._held += len(found.pieces)
            if self._held > 5 * self._limit:
                self._old, self._young, self._held = self._young, {}, len(found.pieces)
            self._young[key] = found
        return found


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
        start, stop = first * self.row_tokens, last * self.row_tokens
        return stretch(self.passes, start, stop, self.language, self.first_run)

    def window(self, number: int) -> Window:
        """Rows [number * W, (number + 1) * W)."""
        documents = self.documents(number * self.window_rows, (number + 1) * self.window_rows)
        if self.packing == "concatenate":
            cuts = concatenate(documents[LENGTH], self.window_rows, self.row_tokens)
            return _window(cut(documents, cuts), np.diff(cuts.bounds))
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
        return _window(np.concatenate(tables, axis=1), np.concatenate(counts))

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


def _window(table: Table, counts: NDArray[np.int64]) -> Window:
    pieces: Any = np.ascontiguousarray(table.T).reshape(-1)
    edges = [0, *(5 * np.cumsum(counts)).tolist()]
    return Window(memoryview(pieces), edges, counts.tolist())
