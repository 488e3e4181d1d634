"""Topics of a language: groups of like documents, found by spherical k-means (Dhillon and Modha 2001).

The first centres come from the rule of k-means++ (Arthur and Vassilvitskii 2007): the next is a document taken with a
probability proportional to its squared distance from the nearest one taken, so that the unlike come first but one
strange document does not win by being strange. What others draw is decided by hash: the document with the least
-log(u) / distance², u from its priority, is next, which has exactly those probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import CorpusError
from corpus.schema import TRAIN
from pipeline.parents.config import ParentsConfig
from pipeline.parents.cover import cover
from pipeline.parents.vectors import LENGTH, Floats, Weights, project, unit
from pipeline.vectors import mix

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]

ROUNDS: Final = 12
"""Of k-means at most."""


@dataclass(frozen=True, eq=False)
class Topics:
    """n documents of a language in k topics."""

    sketches: pa.Table
    """n rows."""
    weights: Weights
    centres: Floats
    """[k, d]"""
    topic: Int64s
    """Of each document, [n]."""
    rank: Int64s
    """Place of each document in an order of which every beginning covers much, [n]."""

    @property
    def count(self) -> int:
        """Number of topics."""
        return len(self.centres)

    def bytes_by_topic(self) -> npt.NDArray[np.float64]:
        """UTF-8 bytes of the documents of each topic, [k]."""
        return _sums(self.topic, self.sketches, self.count)

    def bytes_of(self, sketches: pa.Table) -> npt.NDArray[np.float64]:
        """UTF-8 bytes by topic of other texts in the same language, [k].

        Args:
            sketches: with ``bytes``, ``terms`` and ``counts``.
        """
        return _sums(_nearest(project(sketches, self.weights), self.centres), sketches, self.count)


def find_topics(sketches: pa.Table, config: ParentsConfig) -> Topics:
    """Group the documents of a language.

    Args:
        sketches: of one language, from ``merge``.
        config: number of topics.

    Raises:
        CorpusError: a document is not of the training split.
    """
    others = pc.unique(sketches.column("split")).to_pylist()
    if set(others) - {TRAIN}:
        raise CorpusError(f"documents of the split {max(set(others) - {TRAIN})!r} must never be parents")
    weights = Weights.of(sketches)
    vectors = project(sketches, weights)
    priority = sketches.column("priority").to_numpy()
    wanted = min(max(round((2 * len(vectors)) ** 0.5), 1), config.topics, len(vectors))
    centres = vectors[spread(vectors, priority, wanted)]
    topic = np.zeros(len(vectors), np.int64)
    for _ in range(ROUNDS if wanted > 1 else 0):
        before, topic = topic, _nearest(vectors, centres)
        if np.array_equal(before, topic):
            break
        centres = _means(vectors, topic, centres)
    return Topics(sketches, weights, centres, topic, cover(sketches, weights))


def spread(vectors: Floats, priority: UInt64s, count: int) -> Int64s:
    """Documents chosen one after the other, far from those before by the rule of k-means++.

    Args:
        vectors: [n, d] whole numbers.
        priority: hash of each, [n].
        count: how many, n at most.

    Returns:
        [count] rows, in order.
    """
    chosen = np.zeros(count, np.int64)
    nearest = np.full(len(vectors), 4.0 * LENGTH * LENGTH)
    length = (vectors * vectors).sum(axis=1, dtype=np.float64)
    left = np.ones(len(vectors), np.bool_)
    for step in range(count):
        uniform = (mix(priority + np.uint64(step + 1)) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        # What is equal to one that was taken comes last, but it comes.
        race = -np.log(np.maximum(uniform, 2.0**-60)) / np.maximum(nearest, 1e-3)
        race[~left] = np.inf
        row = int(np.argmin(race))
        chosen[step] = row
        left[row] = False
        distance = length + length[row] - 2.0 * (vectors @ vectors[row]).astype(np.float64)
        np.minimum(nearest, distance, out=nearest)
    return chosen


def _nearest(vectors: Floats, centres: Floats) -> Int64s:
    if not len(centres):
        return np.zeros(len(vectors), np.int64)
    found: Int64s = np.argmax(vectors @ centres.T, axis=1).astype(np.int64)
    return found


def _means(vectors: Floats, topic: Int64s, centres: Floats) -> Floats:
    """Directions of the mean of each topic; one without documents keeps its centre."""
    sums = np.zeros(centres.shape)
    for number in range(len(centres)):
        sums[number] = vectors[topic == number].sum(axis=0, dtype=np.float64)
    means = unit(sums)
    empty = np.bincount(topic, minlength=len(centres)) == 0
    means[empty] = centres[empty]
    return means


def _sums(topic: Int64s, sketches: pa.Table, count: int) -> npt.NDArray[np.float64]:
    sizes = sketches.column("bytes").to_numpy()
    return np.bincount(topic, weights=sizes, minlength=count).astype(np.float64)
