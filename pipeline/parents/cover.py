"""An order of documents in which every beginning covers much in few bytes.

What a set S of documents covers is f(S) = Σ_t w(t) · √(Σ_{d in S} x(t, d)) over words t, with the weights and damped
counts of the vectors: each further occurrence of a word is worth less. Kirchhoff and Bilmes 2014, "Submodularity for
Data Selection in Statistical Machine Translation", chose text to translate with such functions. The greedy order takes
the document of the largest gain per byte; since gains only fall, one that was not computed anew is an upper bound
(lazy greedy, Minoux 1978), so few are. All sums are of whole numbers: the order is the same everywhere.
"""

from __future__ import annotations

import heapq
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.parents.vectors import Weights, weighted_terms

Int64s = npt.NDArray[np.int64]

ORDERED: Final = 20_000
"""Documents that are ordered by their gain; the others follow in the order given."""
_ROOT: Final = 1_024
"""Parts of one that square roots are rounded to."""


def cover(sketches: pa.Table, weights: Weights, most: int = ORDERED) -> Int64s:
    """Order n documents.

    Args:
        sketches: n rows with ``terms``, ``counts`` and ``bytes``; of equal gains the earlier comes first.
        weights: of the words.
        most: documents to order.

    Returns:
        [n] the place of each document in the order.
    """
    found = weighted_terms(sketches, weights)
    sizes = sketches.column("bytes").to_numpy()
    bounds = np.searchsorted(found.owners, np.arange(len(sizes) + 1))
    sums = np.zeros(len(weights.terms), np.int64)
    roots = np.zeros(len(weights.terms), np.int64)

    def gain(row: int) -> float:
        part = slice(bounds[row], bounds[row + 1])
        words = found.words[part]
        more = _roots(sums[words] + found.counts[part]) - roots[words]
        return int((weights.weights[words] * more).sum()) / max(int(sizes[row]), 1)

    waiting = [(-gain(row), row) for row in range(len(sizes))]
    heapq.heapify(waiting)
    order: list[int] = []
    while waiting and len(order) < most:
        _, row = heapq.heappop(waiting)
        fresh = (-gain(row), row)
        if waiting and fresh > waiting[0]:
            heapq.heappush(waiting, fresh)
            continue
        order.append(row)
        part = slice(bounds[row], bounds[row + 1])
        sums[found.words[part]] += found.counts[part]  # a document has each word once
        roots[found.words[part]] = _roots(sums[found.words[part]])
    places = np.full(len(sizes), -1, np.int64)
    places[order] = np.arange(len(order))
    rest = np.flatnonzero(places < 0)
    places[rest] = len(order) + np.arange(len(rest))
    return places


def _roots(values: Int64s) -> Int64s:
    roots: Int64s = np.rint(np.sqrt(values) * _ROOT).astype(np.int64)
    return roots
