"""Distances between two samples of text: frequencies, lengths, vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]


def jensen_shannon(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float:
    """Jensen-Shannon divergence of two count vectors, in bits: 0 for equal shares, 1 where they have nothing in common.

    Lin 1991, "Divergence measures based on the Shannon entropy". NaN where one of them is empty.
    """
    if not first.sum() or not second.sum():
        return float("nan")
    p, q = first / first.sum(), second / second.sum()
    middle = (p + q) / 2
    return max((_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2, 0.0)


def _relative_entropy(p: Floats, q: Floats) -> float:
    some = p > 0
    return float((p[some] * np.log2(p[some] / q[some])).sum())


def kolmogorov_smirnov(first: Int64s, second: Int64s) -> float:
    """Largest difference between the shares of two samples that lie below a value, 0 to 1; NaN where one is empty."""
    if not len(first) or not len(second):
        return float("nan")
    values = np.concatenate((first, second))
    below = [np.searchsorted(np.sort(sample), values, side="right") / len(sample) for sample in (first, second)]
    return float(np.abs(below[0] - below[1]).max())


def lost_types(words: UInt64s, others: UInt64s) -> float:
    """The share by which a sample has fewer different words than another one, at equal numbers of words.

    Translations are poorer in words than originals (Vanmassenhove, Shterionov and Gwilliam 2021, "Machine
    Translationese"). Below 0 where it has more; NaN where one is empty.

    Args:
        words, others: hashes of the running words; as many are compared as the shorter sample has.
    """
    count = min(len(words), len(others))
    if not count:
        return float("nan")
    return 1 - len(np.unique(words[:count])) / len(np.unique(others[:count]))
