"""Pseudo-random orders that are recomputed instead of stored.

An order is a sort by hashed keys: item i gets the i-th output of SplitMix64 (Steele, Lea & Flood 2014) started
from a key. The generator's output function is a bijection of 64-bit numbers and its counter never repeats, so
no two keys are equal and the order does not depend on the sorting algorithm or the machine. Callers keep
``size`` bounded: a language's documents are permuted in two levels, chunks and then documents of a chunk.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from corpus.hashing import stable_hash

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def permutation(size: int, *key: object) -> NDArray[np.int64]:
    """A permutation of 0 … size - 1, the same wherever the parts of the key are the same.

    Args:
        size: number of items.
        key: what the order depends on, for example seed, language and pass.

    Returns:
        int64 [size].
    """
    if size == 1:
        return np.zeros(1, dtype=np.int64)
    return np.argsort(hashes(np.arange(size, dtype=np.uint64), *key)).astype(np.int64, copy=False)


def permutations(size: int, keys: Sequence[tuple[object, ...]]) -> NDArray[np.int64]:
    """:func:`permutation` for many keys at once.

    Args:
        size: number of items.
        keys: n of them.

    Returns:
        int64 [n, size].
    """
    starts = np.array([stable_hash(*key) for key in keys], dtype=np.uint64)
    counters = np.arange(1, size + 1, dtype=np.uint64) * _GAMMA
    return np.argsort(_mixed(counters + starts[:, None]), axis=1).astype(np.int64, copy=False)


def hashes(numbers: NDArray[np.uint64], *key: object) -> NDArray[np.uint64]:
    """Outputs of the generator: 64 bits for each number, all different.

    Args:
        numbers: n different numbers.
        key: what they depend on beside.

    Returns:
        uint64 [n].
    """
    return _mixed((numbers + np.uint64(1)) * _GAMMA + np.uint64(stable_hash(*key)))


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's output function."""
    keys = (keys ^ (keys >> np.uint64(30))) * _FIRST
    keys = (keys ^ (keys >> np.uint64(27))) * _SECOND
    return keys ^ (keys >> np.uint64(31))
