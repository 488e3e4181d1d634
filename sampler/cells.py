"""A language's documents under a view, without a list of them.

A pass under a view goes through cells: the bands of the view's order and, within a band, as many parts as a
document may come times, so that its copies come far from each other. Of each cell and chunk only the number of
tokens is kept, from one look at the language's columns (two under a cap on synthetic text); which documents a cell
has in a chunk is worked out again when it is their turn. What the look finds is a :class:`Table`, which
:mod:`sampler.tables` keeps.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.errors import ConfigurationError, CorpusError
from corpus.schema import RUN_DOCUMENTS
from sampler.index import CHUNK_RUNS, Documents
from sampler.order import hashes
from sampler.runs import Run
from sampler.selection import Columns, Selection, column_names, copy_parts, part_counts, score_names
from sampler.view import DocumentsConfig

LARGEST_CHUNK = 8
"""A chunk under a view is at most so many times as large as without."""
SMALL_DOCUMENTS = CHUNK_RUNS * RUN_DOCUMENTS
"""A pass of no more documents is one leg."""
SAMPLED_RUNS = 256
"""Runs from all over a language whose scores quantiles are taken from where the snapshot has none."""
_LEVELS = 1025
_BUCKETS = 1 << 16


class Contents(NamedTuple):
    """What a pass over a language holds under a view."""

    tokens: int
    """Tokens, the piece that begins each document included."""
    documents: int
    """Documents, each counted as often as it comes."""
    distinct: int
    """Documents that come at least once."""
    synthetic_tokens: int
    """Of ``tokens``, those of synthetic documents; 0 where the view does not look."""
    left_out_tokens: int
    """Tokens of synthetic documents that the cap leaves out."""
    distinct_tokens: int
    """Tokens of the documents that come at least once, each counted once: the text that there is."""


class Table(NamedTuple):
    """What one look at a language under a view finds."""

    tokens: NDArray[np.int64]
    """Tokens of each cell in each chunk, [cells, chunks]."""
    contents: Contents
    quantiles: dict[str, NDArray[np.float64]]
    """Of each score that the view looks at, at evenly spaced levels from 0 to 1."""
    synthetic_buckets: int
    """How many of the synthetic documents' hash buckets are taken."""


class Selected(NamedTuple):
    """The documents of a cell in a chunk, in the order they lie on disk; n of them."""

    lengths: NDArray[np.int64]
    """Tokens of each document in a row, [n]."""
    starts: NDArray[np.int32]
    """Start of each document in its run's tokens, [n]."""
    runs: NDArray[np.int32]
    """Index of each document's run, [n]."""


class Cells:
    """The cells of a language under a view.

    Args:
        documents: of the language.
        view: the settings.
        seed: of the choices by hash.
        table: what an earlier look with the same arguments found; None looks.

    Raises:
        CorpusError: the token shards lack what the view looks at, or are damaged.
        ConfigurationError: the view leaves no document of the language.
    """

    def __init__(self, documents: Documents, view: DocumentsConfig, seed: int, table: Table | None = None) -> None:
        self._documents = documents
        self._names = column_names(view)
        self._key = ("copies", documents.lang, seed)
        names = score_names(view)
        quantiles = {name: _quantiles(documents, name) for name in names} if table is None else table.quantiles
        self._rules = Selection(view, quantiles)
        self.bands = self._rules.bands
        self.parts = self._rules.most
        self.cells = self.bands * self.parts
        self.chunks = _chunks(documents, self.cells)
        self._synthetic_buckets = _BUCKETS
        if table is None:
            table = self._look(view, quantiles)
        self.table = table
        self._synthetic_buckets = table.synthetic_buckets
        self.tokens = table.tokens
        """Tokens of each cell in each chunk, [cells, chunks]."""
        self.contents = table.contents
        self.small = self.contents.documents <= SMALL_DOCUMENTS
        """Whether a pass is so short that it is one leg."""

    def _look(self, view: DocumentsConfig, quantiles: dict[str, NDArray[np.float64]]) -> Table:
        """Go through the language's columns."""
        left_out = 0
        if view.max_synthetic_share < 1:
            left_out = self._cap(view.max_synthetic_share)
        documents = self._documents
        tokens: NDArray[np.int64] = np.zeros((self.cells, self.chunks), dtype=np.int64)
        counts = [0, 0, 0, 0]
        for chunk in range(self.chunks):
            documents.prefetch(documents.members(chunk, self.chunks))
            for run in documents.members(chunk, self.chunks):
                self._count(tokens[:, chunk], run, counts)
        if not tokens.any():
            raise ConfigurationError(
                f"the sampler's documents settings leave no document of {documents.lang}",
                "Widen difficulty or diversity, raise max_synthetic_share, or leave the language out",
            )
        contents = Contents(int(tokens.sum()), counts[0], counts[1], counts[2], left_out, counts[3])
        return Table(tokens, contents, quantiles, self._synthetic_buckets)

    def select(self, cell: int, chunk: int) -> Selected:
        """The documents of a cell in a chunk."""
        band, part = divmod(cell, self.parts)
        lengths, starts, runs = [], [], []
        members = self._documents.members(chunk, self.chunks)
        self._documents.prefetch(members)
        for index in members:
            run = self._documents.run(index, self._names)
            columns = self._chosen(run)
            places = np.arange(len(run.sizes))[self._rules.in_band(columns, band)]
            columns = columns.take(places)
            hashed = self._hashed(index, places)
            times = self._taken(columns, hashed)
            if self.parts > 1:
                times = part_counts(np.maximum(times, 1), hashed, part, self.parts) * (times > 0)
            places = places[times > 0]
            lengths.append(run.offsets[places + 1] - run.offsets[places])
            starts.append(run.offsets[places])
            runs.append(np.full(len(places), index, dtype=np.int32))
        return Selected(np.concatenate(lengths).astype(np.int64) + 1, np.concatenate(starts), np.concatenate(runs))

    def all(self) -> tuple[Selected, NDArray[np.int64]]:
        """All that a pass holds, documents that come several times so many times, and the cell of each."""
        found = [self._all(index, self._documents.run(index, self._names)) for index in range(self._documents.count)]
        lengths, starts, runs, cells = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return Selected(lengths, starts, runs), cells

    def _all(
        self, index: int, run: Run
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        columns = self._chosen(run)
        hashed = self._hashed(index, np.arange(len(run.sizes)))
        copies, part = copy_parts(self._taken(columns, hashed), hashed, self.parts)
        return (
            (np.diff(run.offsets)[copies]).astype(np.int64) + 1,
            run.offsets[copies],
            np.full(len(copies), index, dtype=np.int32),
            self._rules.band(columns, len(hashed))[copies].astype(np.int64) * self.parts + part,
        )

    def _count(self, tokens: NDArray[np.int64], index: int, counts: list[int]) -> None:
        """Add a run to its chunk's tokens, [cells], and to the counts."""
        run = self._documents.run(index, self._names, keep=False)
        columns = self._chosen(run)
        hashed = self._hashed(index, np.arange(len(run.sizes)))
        times = self._taken(columns, hashed)
        lengths = np.diff(run.offsets) + 1
        copies, part = copy_parts(times, hashed, self.parts)
        cells = self._rules.band(columns, len(times)).astype(np.int64)[copies] * self.parts + part
        # Sums stay far below 2⁵³, so they are exact.
        tokens += np.bincount(cells, weights=lengths[copies], minlength=self.cells).astype(np.int64)
        counts[0] += len(copies)
        counts[1] += int(np.count_nonzero(times))
        if columns.synthetic is not None:
            counts[2] += int((lengths * times)[columns.synthetic].sum())
        counts[3] += int(lengths[times > 0].sum(dtype=np.int64))

    def _cap(self, share: float) -> int:
        """Set how many of the synthetic documents' hash buckets are taken; the tokens left out."""
        natural, buckets = 0, np.zeros(_BUCKETS, dtype=np.float64)
        for index in range(self._documents.count):
            run = self._documents.run(index, self._names, keep=False)
            columns = self._chosen(run)
            hashed = self._hashed(index, np.arange(len(run.sizes)))
            tokens = (np.diff(run.offsets) + 1) * self._taken(columns, hashed).astype(np.float64)
            if columns.synthetic is not None:
                natural += int(tokens[~columns.synthetic].sum())
                buckets += np.bincount(
                    _bucket(hashed[columns.synthetic]), weights=tokens[columns.synthetic], minlength=_BUCKETS
                )
        total = np.concatenate([[0.0], np.cumsum(buckets)])
        self._synthetic_buckets = int(np.flatnonzero(total <= share * (total + natural))[-1])
        return int(total[-1] - total[self._synthetic_buckets])

    def _taken(self, columns: Columns, hashed: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Times of each document, the cap on synthetic text included."""
        times = self._rules.times(columns, len(hashed)).astype(np.int64)
        if columns.synthetic is not None and self._synthetic_buckets < _BUCKETS:
            times[columns.synthetic & (_bucket(hashed) >= self._synthetic_buckets)] = 0
        return times

    def _chosen(self, run: Run) -> Columns:
        """A run kept open may have columns that another view asked for."""
        return Columns(**{name: run.columns[name] for name in self._names})

    def _hashed(self, index: int, places: NDArray[np.intp]) -> NDArray[np.uint64]:
        if self.parts == 1 and "synthetic" not in self._names:
            return np.zeros(len(places), dtype=np.uint64)  # nothing is chosen by hash
        return hashes((places + index * RUN_DOCUMENTS).astype(np.uint64), *self._key)


def fits(table: Table, documents: Documents, view: DocumentsConfig) -> bool:
    """Whether a table can be one of these documents under this view, as far as can be told without a look."""
    if set(table.quantiles) != set(score_names(view)):
        return False
    for values in table.quantiles.values():
        if values.ndim != 1 or len(values) < 2 or values.dtype != np.float64 or not (np.diff(values) >= 0).all():
            return False
    rules, found = Selection(view, table.quantiles), table.contents
    cells = rules.bands * rules.most
    return (
        table.tokens.dtype == np.int64
        and table.tokens.shape == (cells, _chunks(documents, cells))
        and int(table.tokens.min()) >= 0
        and int(table.tokens.sum()) == found.tokens
        and 0 < found.distinct_tokens <= min(found.tokens, documents.tokens)
        and 0 < found.distinct <= min(found.documents, documents.documents)
        and 0 <= table.synthetic_buckets <= _BUCKETS
    )


def _chunks(documents: Documents, cells: int) -> int:
    return -(-documents.count // (CHUNK_RUNS * min(LARGEST_CHUNK, cells)))


def _bucket(hashed: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Which of the buckets a synthetic document is in: 16 bits that nothing else uses."""
    return ((hashed >> np.uint64(16)) & np.uint64(_BUCKETS - 1)).astype(np.int64)


def _quantiles(documents: Documents, name: str) -> NDArray[np.float64]:
    """Quantiles of a score at evenly spaced levels: the snapshot's, or of up to ``SAMPLED_RUNS`` runs."""
    known = getattr(documents.scores, name)
    if known:
        return np.array(known, dtype=np.float64)
    runs = np.unique(np.linspace(0, documents.count - 1, min(SAMPLED_RUNS, documents.count)).astype(np.int64))
    scores = np.concatenate([documents.run(int(run), (name,), keep=False).columns[name] for run in runs])
    scores = scores[~np.isnan(scores)]
    if not len(scores):
        raise CorpusError(
            f"no document of {documents.lang} has a {name}",
            "Run `evenglot tokenize` again to score the documents, or leave the view that asks for it out",
        )
    values: NDArray[np.float64] = np.quantile(scores.astype(np.float64), np.linspace(0, 1, _LEVELS))
    return values
