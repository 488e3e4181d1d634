"""From a sample to the whole: totals with intervals, and duplicates, whose share grows with the corpus.

Totals are ratio estimates over the ranges of the sample, their errors from the jackknife (Tukey 1958): the estimate
again without each range in turn. A share that was counted has Wilson's interval (1927). Duplicates are a case of
their own: of a pair of copies a sample of one part in a hundred holds both only once in ten thousand, so what it
shows is scaled by the chance that a cluster of that size shows at all (Horvitz and Thompson 1952).

All intervals are meant to hold the truth in 95 of 100 cases, if the ranges stand for the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_Z: Final = 1.96
_T: Final = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13)
"""Student's 97.5 % point for 1 to 15 degrees of freedom."""
_LARGEST_CLUSTER: Final = 1_000_000


@dataclass(frozen=True)
class Interval:
    """An estimate and the bounds of its 95 % interval."""

    expected: float
    low: float
    high: float

    def scaled(self, factor: float) -> Interval:
        """All three times a factor that is known."""
        return Interval(self.expected * factor, self.low * factor, self.high * factor)

    def widened(self, share: float) -> Interval:
        """With an independent relative error added."""
        low = math.hypot(self.expected - self.low, self.expected * share)
        high = math.hypot(self.high - self.expected, self.expected * share)
        return Interval(self.expected, max(0.0, self.expected - low), self.expected + high)


def total(values: Sequence[float], sizes: Sequence[float], whole: float) -> Interval:
    """A total over the whole from its parts in some ranges.

    Args:
        values: counted in each range.
        sizes: bytes of each range.
        whole: bytes of everything.

    Returns:
        the ratio estimate; with a single range its error is unknown and the interval reaches from what was counted
        to twice the estimate.
    """
    covered = sum(sizes) / whole
    if covered >= 1.0:
        counted = float(sum(values))
        return Interval(counted, counted, counted)
    expected = sum(values) / covered
    n = len(values)
    if n == 1:
        return Interval(expected, float(sum(values)), 2 * expected)
    without = [(sum(values) - value) / (sum(sizes) - size) for value, size in zip(values, sizes, strict=True)]
    mean = sum(without) / n
    variance = (n - 1) / n * sum((ratio_ - mean) ** 2 for ratio_ in without) * (1 - covered)
    error = student(n - 1) * math.sqrt(variance) * whole
    return Interval(expected, max(float(sum(values)), expected - error), expected + error)


def student(freedom: int) -> float:
    """Student's 97.5 % point, to a hundredth or so."""
    return _T[freedom - 1] if freedom <= len(_T) else _Z + 2.4 / freedom


def add(parts: Sequence[Interval]) -> Interval:
    """The sum of independent estimates."""
    expected = sum(part.expected for part in parts)
    low = math.sqrt(sum((part.expected - part.low) ** 2 for part in parts))
    high = math.sqrt(sum((part.high - part.expected) ** 2 for part in parts))
    return Interval(expected, max(0.0, expected - low), expected + high)


def share(count: int, of: int) -> Interval:
    """A share from counts, with Wilson's interval."""
    if of == 0:
        return Interval(0.0, 0.0, 1.0)
    p = count / of
    centre = (p + _Z**2 / (2 * of)) / (1 + _Z**2 / of)
    half = _Z / (1 + _Z**2 / of) * math.sqrt(p * (1 - p) / of + _Z**2 / (4 * of**2))
    return Interval(p, max(0.0, centre - half), min(1.0, centre + half))


def removed_copies(clusters: Mapping[int, int], fraction: float, documents: float) -> Interval:
    """Documents that deduplication will remove from the whole.

    Args:
        clusters: how many clusters of each size (2 and more) the sample holds.
        fraction: of the documents that are in the sample.
        documents: of the whole; no more than these can go.

    Returns:
        sum over the clusters seen of (size - 1) / (chance of seeing two of its documents), where a cluster's size is
        the one whose expected showing, given two or more, is what was seen. Where none was seen, the upper bound is
        what would be missed in one of twenty samples (three pairs).
    """
    if fraction >= 1.0:
        removed = float(sum((size - 1) * count for size, count in clusters.items()))
        return Interval(removed, removed, removed)
    expected = variance = 0.0
    seen = 0
    for size, count in clusters.items():
        whole = true_size(size, fraction)
        chance = shows(whole, fraction)
        expected += count * (whole - 1) / chance
        variance += count * (1 - chance) * ((whole - 1) / chance) ** 2
        seen += count * (size - 1)
    error = _Z * math.sqrt(variance) if clusters else 3 / fraction**2
    return Interval(min(expected, documents), max(float(seen), expected - error), min(expected + error, documents))


def true_size(seen: int, fraction: float) -> int:
    """The size of a cluster of which a sample would show so many documents, given that it shows two or more."""
    low, high = seen, min(_LARGEST_CLUSTER, max(seen, math.ceil(2 * seen / fraction)))
    while low < high:
        middle = (low + high) // 2
        if _mean_showing(middle, fraction) < seen:
            low = middle + 1
        else:
            high = middle
    return low


def shows(size: int, fraction: float) -> float:
    """The chance that a sample holds two documents or more of a cluster."""
    none = (1 - fraction) ** size
    return max(1 - none - size * fraction * (1 - fraction) ** (size - 1), 1e-300)


def _mean_showing(size: int, fraction: float) -> float:
    return (size * fraction - size * fraction * (1 - fraction) ** (size - 1)) / shows(size, fraction)
