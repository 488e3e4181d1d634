"""What NumPy lacks for batches of things of different lengths: ranges end to end, different rows, a mixing of bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]


def ranges(starts: Int64s, sizes: Int64s) -> Int64s:
    """The numbers from each start on, as many as its size, end to end."""
    before = np.cumsum(sizes) - sizes
    numbers: Int64s = np.arange(int(sizes.sum()), dtype=np.int64) + np.repeat(starts - before, sizes)
    return numbers


def mix(values: UInt64s) -> UInt64s:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014), in place: a permutation that spreads every bit."""
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def unique_rows(rows: npt.NDArray[Any], first: str, second: str) -> npt.NDArray[Any]:
    """One of the rows of a structured array for each pair of values of two of its fields, in their order."""
    ordered = rows[np.lexsort((rows[second], rows[first]))]
    new = np.ones(len(ordered), np.bool_)
    new[1:] = (ordered[first][1:] != ordered[first][:-1]) | (ordered[second][1:] != ordered[second][:-1])
    return ordered[new]
