"""Which documents a view takes, how often, and in which band of the order: a pure function of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sampler.view import DocumentsConfig

BANDS = 16
"""Bands of an ordered pass."""
_DIVERSE = 0.9  # quantile from which on documents are the most diverse tenth
_MIDDLE = 4  # log2 of the copies that the rule `middle` repeats most

Scores = NDArray[np.float32]


class Columns(NamedTuple):
    """What a view may look at, of n documents; what it does not look at is None."""

    copies: NDArray[np.int32] | None = None
    synthetic: NDArray[np.bool_] | None = None
    difficulty: Scores | None = None
    """NaN where a document has none, [n]."""
    diversity: Scores | None = None
    """NaN where a document has none, [n]."""

    def take(self, places: NDArray[np.intp]) -> Columns:
        """Those of some of the documents."""
        return Columns(**{name: column[places] for name, column in self._asdict().items() if column is not None})


class Selection:
    """A view's rules for one language.

    A document without a score counts as the median. Documents on a limit between quantiles are kept on both of its
    sides.

    Args:
        view: the settings.
        quantiles: for each score that :func:`score_names` lists, its quantiles at evenly spaced levels from 0 to 1.
    """

    def __init__(self, view: DocumentsConfig, quantiles: Mapping[str, NDArray[np.float64]]) -> None:
        self.view = view
        self._ranges = {
            name: (_quantile(quantiles[name], low, -np.inf), _quantile(quantiles[name], high, np.inf))
            for name, (low, high) in (("difficulty", view.difficulty), ("diversity", view.diversity))
            if (low, high) != (0.0, 1.0)
        }
        self._medians = {
            name: np.float32(np.interp(0.5, _levels(values), values)) for name, values in quantiles.items()
        }
        self._diverse = _quantile(quantiles["diversity"], _DIVERSE, np.inf) if view.repeat_diverse > 1 else np.inf
        self._score = {"random": None, "diverse_first": "diversity"}.get(view.order, "difficulty")
        self.bands = 1 if self._score is None else BANDS
        self._edges: Scores = np.zeros(0, dtype=np.float32)
        if self._score is not None:
            low, high = getattr(view, self._score)
            inner = np.interp(
                low + (high - low) * np.arange(1, BANDS) / BANDS,
                _levels(quantiles[self._score]),
                quantiles[self._score],
            )
            self._edges = inner.astype(np.float32)
        self._copies, self._times = rehydration(view)
        self.most = min(view.max_times, int(self._times.max()) * view.repeat_diverse)
        """Most times that one document can come."""

    def times(self, columns: Columns, count: int) -> NDArray[np.int8]:
        """How often each document comes in a pass, 0 where it is left out; the cap on synthetic text left aside.

        Args:
            columns: of n documents.
            count: n.

        Returns:
            int8 [n].
        """
        times = np.ones(count, dtype=np.int64)
        if columns.copies is not None:
            times = self._times[np.searchsorted(self._copies, columns.copies, "right")]
        if self.view.repeat_diverse > 1 and columns.diversity is not None:
            times = np.where(
                self._filled("diversity", columns.diversity) >= self._diverse, times * self.view.repeat_diverse, times
            )
        times = np.minimum(times, self.most)
        for name, (low, high) in self._ranges.items():
            scores = self._filled(name, getattr(columns, name))
            times = np.where((scores >= low) & (scores <= high), times, 0)
        return times.astype(np.int8)

    def band(self, columns: Columns, count: int) -> NDArray[np.int8]:
        """The band of each document, from the first that a pass goes through on.

        Args:
            columns: of n documents.
            count: n.

        Returns:
            int8 [n].
        """
        if self._score is None:
            return np.zeros(count, dtype=np.int8)
        rank = np.searchsorted(self._edges, self._filled(self._score, getattr(columns, self._score)), "right")
        return (rank if self.view.order == "easy_first" else BANDS - 1 - rank).astype(np.int8)

    def in_band(self, columns: Columns, band: int) -> NDArray[np.intp] | slice:
        """The documents of one band, as :meth:`band` would say: their places, or all of them."""
        if self._score is None:
            return slice(None)
        rank = band if self.view.order == "easy_first" else BANDS - 1 - band
        scores = self._filled(self._score, getattr(columns, self._score))
        chosen = np.ones(len(scores), dtype=np.bool_)
        if rank > 0:
            chosen &= scores >= self._edges[rank - 1]
        if rank < BANDS - 1:
            chosen &= scores < self._edges[rank]
        return np.flatnonzero(chosen)

    def _filled(self, name: str, scores: Scores) -> Scores:
        return np.where(np.isnan(scores), self._medians[name], scores)


def score_names(view: DocumentsConfig) -> tuple[str, ...]:
    """The scores that a view looks at."""
    names = []
    if view.difficulty != (0.0, 1.0) or view.order in ("easy_first", "hard_first"):
        names.append("difficulty")
    if view.diversity != (0.0, 1.0) or view.order == "diverse_first" or view.repeat_diverse > 1:
        names.append("diversity")
    return tuple(names)


def column_names(view: DocumentsConfig) -> tuple[str, ...]:
    """The columns of a token shard that a view looks at."""
    names = list(score_names(view))
    if view.rehydrate != "none":
        names.append("copies")
    if view.max_synthetic_share < 1:
        names.append("synthetic")
    return tuple(names)


def rehydration(view: DocumentsConfig) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The table from copies to times, before the cap.

    The rule ``middle`` is times(c) = 1 + ⌊(M - 1) · max(0, 1 - |log₂ c - 4| / 4)⌋ with M the cap: most at 16 copies,
    once at 1 and from 256 on. It follows the shape of the tables that FineWeb-2 (Penedo et al. 2025, arXiv
    2506.20920) derived from filter rates, where documents of a middle number of copies were the best ones.

    Returns:
        limits int64 [k], rising, and times int64 [k + 1]: a document of c copies comes times[i] times, with i the
        limits that are not above c.
    """
    if view.rehydrate == "none":
        table = {}
    elif view.rehydrate == "middle":
        most = view.max_times
        table = {c: 1 + int((most - 1) * max(0.0, 1 - abs(np.log2(c) - _MIDDLE) / _MIDDLE)) for c in range(1, 257)}
    else:
        table = dict(sorted(view.rehydrate.items()))
    return np.array(list(table), dtype=np.int64), np.array([1, *table.values()], dtype=np.int64)


def part_counts(times: NDArray[np.int64], hashed: NDArray[np.uint64], part: int, parts: int) -> NDArray[np.int64]:
    """Copies of each document that come in one part of a pass.

    The m copies of a document are spread evenly: copy j comes in part ⌊(j + u) · parts / m⌋, with u in [0, 1) from
    the document's hash. With m ≤ parts no two come in the same part.

    Args:
        times: m of each document, at least 1, [n].
        hashed: 64 bits of each document, of which the lowest 16 are used, [n].
        part: from 0.
        parts: number of parts.

    Returns:
        int64 [n].
    """
    offset = (hashed & np.uint64(0xFFFF)).astype(np.int64) * parts
    whole = parts << 16
    step = times << 16
    counts: NDArray[np.int64] = (offset - part * step) // whole - (offset - (part + 1) * step) // whole
    return counts


def copy_parts(
    times: NDArray[np.int64], hashed: NDArray[np.uint64], parts: int
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """The copies of all documents, each with the part of a pass that it comes in, as :func:`part_counts` has them.

    Args:
        times: m of each document, [n].
        hashed: 64 bits of each document, [n].
        parts: number of parts.

    Returns:
        the document and the part of each copy, [sum of times].
    """
    documents = np.repeat(np.arange(len(times)), times)
    if parts == 1:
        return documents, np.zeros(len(documents), dtype=np.int64)
    copy = np.arange(len(documents)) - np.repeat(np.cumsum(times) - times, times)
    offset = (hashed & np.uint64(0xFFFF)).astype(np.int64)
    place: NDArray[np.int64] = ((copy << 16) + offset[documents]) * parts // (times[documents] << 16)
    return documents, place


def _quantile(values: NDArray[np.float64], level: float, beyond: float) -> np.float32:
    """The value at a level; beyond all values at the end of the range."""
    if level in (0.0, 1.0):
        return np.float32(beyond)
    return np.float32(np.interp(level, _levels(values), values))


def _levels(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linspace(0, 1, len(values))
