"""Quantiles of a language's scores, from histograms that add up in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

BINS: Final = 8192
POINTS: Final = 65
"""Quantiles kept: the least, the 64ths, and the greatest."""


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many values lie in each of BINS equal parts of 0 to ``end``; greater ones are in the last."""

    end: float
    counts: npt.NDArray[np.int32]
    least: float = np.inf
    most: float = -np.inf

    @staticmethod
    def of(values: npt.NDArray[np.float32], end: float) -> Histogram:
        """Count values from 0 on; NaN is left out."""
        known = values[~np.isnan(values)].astype(np.float64)
        if not len(known):
            return Histogram(end, np.zeros(BINS, np.int32))
        bins = np.minimum((known * (BINS / end)).astype(np.int64), BINS - 1)
        counts = np.bincount(bins, minlength=BINS).astype(np.int32)
        return Histogram(end, counts, float(known.min()), float(known.max()))

    def __add__(self, other: Histogram) -> Histogram:
        return Histogram(self.end, self.counts + other.counts, min(self.least, other.least), max(self.most, other.most))

    def quantiles(self) -> tuple[float, ...]:
        """POINTS quantiles at equal distances; the first and last are exact, the others to a bin's width.

        Within a bin values are taken to be spread evenly. Empty where nothing was counted.
        """
        total = int(self.counts.sum())
        if not total:
            return ()
        sums = np.concatenate(([0], np.cumsum(self.counts)))
        wanted = np.linspace(0, total, POINTS)
        # The bin in which the sum first reaches what is wanted, so that empty bins are passed over.
        bins = np.clip(np.searchsorted(sums, wanted, side="left") - 1, 0, BINS - 1)
        inside = (wanted - sums[bins]) / np.maximum(self.counts[bins], 1)
        between = ((bins + inside) * (self.end / BINS))[1:-1]
        rounded = [min(max(float(f"{value:.5g}"), self.least), self.most) for value in between]
        return (self.least, *rounded, self.most)
