"""The endless sequence of passes over a language's documents.

A pass is cut into legs: the documents of one chunk in their order. Legs are made when they are asked for and
kept in a cache that all languages share, so that no array is as long as the corpus.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sampler.index import Documents
from sampler.order import permutation
from sampler.runs import Tokens


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


class Passes:
    """Passes over the documents of one language, each in an order of its own.

    A document counts one token more than its shard holds, for the piece that begins it in a row.

    Args:
        documents: of the language; at least one.
        seed: of the order.
        cache: shared between languages.
    """

    def __init__(self, documents: Documents, seed: int, cache: LegCache) -> None:
        self.documents = documents
        self.seed = seed
        self.tokens = documents.tokens
        """Tokens of one pass, the same for all passes."""
        self._cache = cache
        self._pass = -1
        self._chunks: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._bounds: NDArray[np.int64] = np.zeros(1, dtype=np.int64)

    def locate(self, offset: int) -> tuple[Leg, int]:
        """The leg that holds a token of the passes joined end to end, and the token's offset in that leg."""
        number, inside = divmod(offset, self.tokens)
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
            if place + 1 < len(self._chunks):
                self.documents.prefetch(self.documents.members(int(self._chunks[place + 1])))
        return leg, inside - int(self._bounds[place])

    def run(self, index: int) -> Tokens:
        """The tokens that a leg's ``starts`` of this run point into."""
        return self.documents.run(index).tokens

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
