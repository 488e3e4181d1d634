"""True similarity of pairs of documents, from their whole sets of shingles: nothing is sampled.

Jaccard similarity is the share of all shingles of two documents that both have; containment of A in B the share
of A's that B has (Broder 1997). Shingles are told apart by 40 bits of their hashes: of two texts of 1,000
different shingles each, one pair in a million is taken for one shingle more than they share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.deduplicate.shingles import Int64s, Shingles, UInt64s
from pipeline.vectors import ranges

Floats = npt.NDArray[np.float64]

_HASH_BITS: Final = np.uint64(40)
_HASH: Final = np.uint64((1 << 40) - 1)
MOST_DOCUMENTS: Final = 1 << 24
"""In one call."""


@dataclass(frozen=True)
class ShingleSets:
    """The different shingles of d documents."""

    members: npt.NDArray[np.uint64]
    """``document << 40 | hash >> 24``, ascending."""
    bounds: Int64s
    """Document d has ``members[bounds[d]:bounds[d + 1]]``."""

    @property
    def sizes(self) -> Int64s:
        """Different shingles of each document."""
        return np.diff(self.bounds)


def shingle_sets(shingles: Shingles) -> ShingleSets:
    """The sets of some documents.

    Args:
        shingles: of at most MOST_DOCUMENTS documents.
    """
    if shingles.documents > MOST_DOCUMENTS:
        raise ValueError(f"{shingles.documents} documents at once; give at most {MOST_DOCUMENTS}")
    owners = np.repeat(np.arange(shingles.documents, dtype=np.uint64), shingles.sizes)
    members = np.sort(owners << _HASH_BITS | shingles.hashes >> (np.uint64(64) - _HASH_BITS))
    if len(members):
        members = members[np.concatenate([[True], members[1:] != members[:-1]])]
    bounds = np.searchsorted(members, np.arange(shingles.documents + 1, dtype=np.uint64) << _HASH_BITS)
    return ShingleSets(members, bounds.astype(np.int64))


def common(sets: ShingleSets, first: Int64s, second: Int64s) -> Int64s:
    """Shingles that both documents of each of n pairs have; shape (n,)."""
    if not len(sets.members):
        return np.zeros(len(first), np.int64)
    sizes = sets.sizes
    swap = sizes[first] > sizes[second]
    small, large = np.where(swap, second, first), np.where(swap, first, second)
    asked = sets.members[ranges(sets.bounds[small], sizes[small])] & _HASH
    hits = _has(sets, np.repeat(large, sizes[small]), asked)
    total = np.concatenate([[0], np.cumsum(hits)])
    ends = np.cumsum(sizes[small])
    shared: Int64s = total[ends] - total[ends - sizes[small]]
    return shared


def contains(sets: ShingleSets, documents: Int64s, hashes: UInt64s) -> npt.NDArray[np.bool_]:
    """Whether each of n documents has the shingle with that 64-bit hash; shape (n,)."""
    if not len(sets.members):
        return np.zeros(len(documents), np.bool_)
    return _has(sets, documents, hashes >> (np.uint64(64) - _HASH_BITS))


def _has(sets: ShingleSets, documents: Int64s, members: UInt64s) -> npt.NDArray[np.bool_]:
    """The same for the 40 bits of a hash that are kept."""
    asked = members | documents.astype(np.uint64) << _HASH_BITS
    found = np.searchsorted(sets.members, asked)
    hits: npt.NDArray[np.bool_] = sets.members[np.minimum(found, len(sets.members) - 1)] == asked
    return hits


def similarity(sets: ShingleSets, first: Int64s, second: Int64s) -> tuple[Floats, Floats, Floats]:
    """Jaccard similarity, containment of the first in the second and of the second in the first, for n pairs.

    A document without shingles has 0 of everything.
    """
    shared = common(sets, first, second)
    one, two = sets.sizes[first], sets.sizes[second]
    return (
        shared / np.maximum(one + two - shared, 1),
        shared / np.maximum(one, 1),
        shared / np.maximum(two, 1),
    )
