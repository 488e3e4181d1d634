"""Signatures of shingle sets: equal in each place with the probability that is the sets' Jaccard similarity.

Classic MinHash (Broder 1997) takes one hash function for each place and so hashes every shingle as often as a
signature has places. Fast similarity sketching (Dahlgaard, Knudsen and Thorup, FOCS 2017,
https://arxiv.org/abs/1704.04370) throws every shingle at one random place a round and keeps the least value
there; a round after the first only serves the places still empty. Long texts are done after one or two rounds,
short ones after some; every place is filled in the end by a function of its own. A place holds the least shingle
by (round, value), an order that does not depend on the set, so two signatures agree in it with a probability of
exactly the Jaccard similarity; unlike one-permutation hashing, also for texts with fewer shingles than places.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.deduplicate.shingles import Lengths, Shingles, UInt32s, UInt64s, shingle_chunks
from pipeline.vectors import mix, ranges

ROUNDS: Final = 8
"""Rounds with random places; part of what a signature means."""

_EMPTY: Final = np.uint32(0xFFFFFFFF)
_STEP: Final = 0x9E3779B97F4A7C15
_LOW: Final = np.uint64(32)


def sign_texts(column: pa.Array, lengths: Lengths, places: int) -> UInt32s:
    """Signatures of n texts, shape (n, places)."""
    signatures = np.full((len(column), places), _EMPTY, np.uint32)
    for first, part in shingle_chunks(column, lengths):
        signatures[first : first + part.documents] = sign(part, places)
    return signatures


def sign(shingles: Shingles, places: int) -> UInt32s:
    """Signatures of documents given by their shingles.

    Args:
        shingles: of d documents; repetitions within one change nothing.
        places: values in a signature; at most 2**31 for all documents together.

    Returns:
        shape (d, places). A document without shingles has no signature: all its values are 2**32 - 1.
    """
    documents, sizes = shingles.documents, shingles.sizes
    signatures = np.full((documents, places), _EMPTY, np.uint32)
    active = np.flatnonzero(sizes)
    hashes = shingles.hashes
    for number in range(ROUNDS):
        if not len(active):
            return signatures
        if number:
            hashes = shingles.hashes[ranges(shingles.bounds[active], sizes[active])]
        values = _values(hashes, number)
        place = np.repeat(np.arange(len(active)) * places, sizes[active])
        place += (((values >> _LOW) * np.uint64(places)) >> _LOW).view(np.int64)
        least = np.full(len(active) * places, _EMPTY, np.uint32)
        np.minimum.at(least, place, values.astype(np.uint32))
        before = signatures[active]
        after = np.where(before == _EMPTY, least.reshape(-1, places), before)
        signatures[active] = after
        active = active[(after == _EMPTY).any(axis=1)]
    _fill(signatures, shingles, active)
    return signatures


def _values(hashes: UInt64s, function: int) -> UInt64s:
    """One of a family of hash functions: a strong mixer after a shift of its own for each function."""
    return mix(hashes + np.uint64(_STEP * (function + 1) % 2**64))


def _fill(signatures: UInt32s, shingles: Shingles, rows: npt.NDArray[np.int64]) -> None:
    """The places still empty get the least value of the document under the place's own function."""
    chosen, place = np.nonzero(signatures[rows] == _EMPTY)
    if not len(chosen):
        return
    documents = rows[chosen]
    sizes = shingles.sizes[documents]
    shift = np.repeat((place.astype(np.uint64) + np.uint64(ROUNDS + 1)) * np.uint64(_STEP), sizes)
    values = mix(shingles.hashes[ranges(shingles.bounds[documents], sizes)] + shift).astype(np.uint32)
    signatures[documents, place] = np.minimum.reduceat(values, np.cumsum(sizes) - sizes)


def estimate(first: UInt32s, second: UInt32s) -> npt.NDArray[np.float64]:
    """Estimated Jaccard similarity of n pairs of signatures, each of shape (n, places)."""
    agreement: npt.NDArray[np.float64] = (first == second).mean(axis=1)
    return agreement
