"""The endless sequence of passes over a language's documents.

A pass is cut into legs: the documents of one chunk in their order; under a view, those of one cell in one chunk,
cell after cell. Where documents are few, a leg is several whole passes. Legs are made when they are asked for and
kept in a cache that all languages share, so that no array is as long as the corpus.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.hashing import stable_hash
from sampler.cells import Cells, Contents, Table
from sampler.index import Chunk, Documents
from sampler.order import permutation, permutations
from sampler.runs import Tokens
from sampler.view import DocumentsConfig

_JOINED_DOCUMENTS = 1024


class Leg(NamedTuple):
    """A stretch of a pass in its order; n documents."""

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
        self._members = 0
        self._legs: OrderedDict[tuple[int, int, int], Leg] = OrderedDict()

    def member(self) -> int:
        """A number of its own for each of those that share the cache."""
        self._members += 1
        return self._members

    def get(self, key: tuple[int, int, int]) -> Leg | None:
        """A leg by member, pass and place in the pass."""
        leg = self._legs.get(key)
        if leg is not None:
            self._legs.move_to_end(key)
        return leg

    def put(self, key: tuple[int, int, int], leg: Leg) -> None:
        """Keep a leg."""
        self._legs[key] = leg
        self._room -= len(leg.runs)
        while self._room < 0 and len(self._legs) > 1:
            self._room += len(self._legs.popitem(last=False)[1].runs)


class Passes:
    """Passes over the documents of one language, each in an order of its own.

    A document counts one token more than its shard holds, for the piece that begins it in a row.

    Args:
        documents: of the language; at least one.
        seed: of the order.
        cache: shared between languages.
        view: which documents come, how often and in which order; None, like the default one, takes all of them once
            in random order and looks at no column.
        table: what an earlier look at these documents under the view found; None looks.
        turn: number of the view among those that a run reads the language from. Each has orders of its own: in those
            of the view before, what that one gave first would come first once more.

    Raises:
        CorpusError: the view looks at what the token shards lack.
        ConfigurationError: the view leaves no document.
    """

    def __init__(
        self,
        documents: Documents,
        seed: int,
        cache: LegCache,
        view: DocumentsConfig | None = None,
        table: Table | None = None,
        turn: int = 0,
    ) -> None:
        self.documents = documents
        self.seed = seed if turn == 0 else stable_hash("turn", turn, seed)
        self.tokens = documents.tokens
        """Tokens of one pass, the same for all passes."""
        self.contents = Contents(documents.tokens, documents.documents, documents.documents, 0, 0, documents.tokens)
        """What one pass holds."""
        self._cells: Cells | None = None
        self._member = cache.member()
        if view is not None and not view.is_default:
            # Which documents come is the same in every turn.
            self._cells = Cells(documents, view, seed, table)
            self.contents = self._cells.contents
            self.tokens = self.contents.tokens
        self._cache = cache
        # Passes over few documents are made many at a time: a pass costs about as much as a thousand documents.
        whole = self._cells is None and documents.chunks == 1
        self._joined = max(1, _JOINED_DOCUMENTS // documents.documents) if whole else 1
        self._few: Chunk | None = None
        self._pass = -1
        self._legs: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._bounds: NDArray[np.int64] = np.zeros(1, dtype=np.int64)

    def locate(self, offset: int) -> tuple[Leg, int]:
        """The leg that holds a token of the passes joined end to end, and the token's offset in that leg."""
        if self._joined > 1:
            return self._locate_joined(offset)
        number, inside = divmod(offset, self.tokens)
        if number != self._pass:
            self._begin(number)
        place = 0
        if len(self._legs) > 1:
            place = int(self._bounds.searchsorted(inside, "right")) - 1
        key = (self._member, number, place)
        leg = self._cache.get(key)
        if leg is None:
            leg = self._leg(number, int(self._legs[place]))
            self._cache.put(key, leg)
            if place + 1 < len(self._legs):
                self._prefetch(int(self._legs[place + 1]))
        return leg, inside - int(self._bounds[place])

    def _locate_joined(self, offset: int) -> tuple[Leg, int]:
        """The same where a leg is several whole passes."""
        number, inside = divmod(offset, self.tokens * self._joined)
        key = (self._member, number, 0)
        leg = self._cache.get(key)
        if leg is None:
            if self._few is None:
                self._few = self.documents.chunk(0)
            lengths, starts, runs, _ = self._few
            passes = range(number * self._joined, (number + 1) * self._joined)
            keys = [("documents", self.documents.lang, one, 0, self.seed) for one in passes]
            order = permutations(len(runs), keys).ravel()
            bounds = np.zeros(len(order) + 1, dtype=np.int64)
            np.cumsum(lengths[order], out=bounds[1:])
            leg = Leg(bounds, starts[order], runs[order])
            self._cache.put(key, leg)
        return leg, inside

    @property
    def runs(self) -> int:
        """Number of the runs that legs point into."""
        return self.documents.count

    def run(self, index: int) -> Tokens:
        """The tokens that a leg's ``starts`` of this run point into."""
        return self.documents.run(index).tokens

    def _begin(self, number: int) -> None:
        """Set the legs of a pass, each by its chunk or, under a view, cell * chunks + chunk, and their bounds."""
        if self._cells is None:
            self._legs = permutation(self.documents.chunks, "chunks", self.documents.lang, number, self.seed)
            tokens = self.documents.chunk_tokens[self._legs]
        elif self._cells.small:
            self._legs = np.zeros(1, dtype=np.int64)
            tokens = np.array([self.tokens])
        else:
            chunks, turns = self._cells.chunks, self._turns(self._cells, number)
            key = ("chunks", self.documents.lang, number)
            self._legs = np.concatenate([cell * chunks + permutation(chunks, *key, cell, self.seed) for cell in turns])
            tokens = self._cells.tokens.ravel()[self._legs]
        self._bounds = np.concatenate([[0], np.cumsum(tokens)])
        self._pass = number

    def _turns(self, cells: Cells, number: int) -> list[int]:
        """The cells of a pass in the order they come.

        Bands come in theirs; the parts of a band in turn, from another one on in each pass, so that not the same
        documents are first in all of them.
        """
        parts = cells.parts
        first = stable_hash("parts", self.documents.lang, number, self.seed) % parts
        return [band * parts + (first + turn) % parts for band in range(cells.bands) for turn in range(parts)]

    def _leg(self, number: int, index: int) -> Leg:
        key = ("documents", self.documents.lang, number, index, self.seed)
        if self._cells is None:
            lengths, starts, runs, _ = self.documents.chunk(index)
            order = permutation(len(runs), *key)
        elif self._cells.small:
            (lengths, starts, runs), cells = self._cells.all()
            turn = np.empty(self._cells.cells, dtype=np.int64)
            turn[self._turns(self._cells, number)] = np.arange(len(turn))
            order = permutation(len(runs), *key)
            order = order[np.argsort(turn[cells[order]], kind="stable")]
        else:
            lengths, starts, runs = self._cells.select(*divmod(index, self._cells.chunks))
            order = permutation(len(runs), *key)
        bounds = np.zeros(len(runs) + 1, dtype=np.int64)
        np.cumsum(lengths[order], out=bounds[1:])
        return Leg(bounds, starts[order], runs[order])

    def _prefetch(self, index: int) -> None:
        chunks = self.documents.chunks if self._cells is None else self._cells.chunks
        self.documents.prefetch(self.documents.members(index % chunks, chunks))
