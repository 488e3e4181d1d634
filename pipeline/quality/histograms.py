"""Histograms of the measures per language: what thresholds are derived from, mergeable in any order.

The bins are fixed, so merging is adding integers: associative, commutative, the same on any number of workers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality.rules import MEASURES

BINS: Final = 160

Histogram = Mapping[str, npt.NDArray[np.int64]]
"""By measure, the documents in each bin; shape (BINS,)."""

LOGARITHMIC: Final = {"n_words": (1.0, 1e7), "mean_word_length": (1.0, 1e4)}
"""Measures on a logarithmic scale, with the smallest and the largest value told apart."""
_LINEAR: Final = frozenset({"lang_score", "lexical_diversity"})


@cache
def edges(measure: str) -> npt.NDArray[np.float64]:
    """Bin edges of a measure, shape (BINS + 1,).

    Counts have logarithmic bins; shares have bins that grow with the square, as small shares matter most.
    """
    steps = np.linspace(0, 1, BINS + 1)
    if measure in LOGARITHMIC:
        low, high = np.log(LOGARITHMIC[measure])
        scale: npt.NDArray[np.float64] = np.exp(low + steps * (high - low))
        return scale
    return steps if measure in _LINEAR else steps**2


def histograms(batch: pa.RecordBatch, measures: Sequence[str] = MEASURES) -> dict[str, Histogram]:
    """Histograms of a batch's measures.

    Args:
        batch: with the columns ``lang`` and the measures; values beyond the outermost bins count in them, nulls
            and NaN nowhere.
        measures: which to count.

    Returns:
        by language tag; rows without one are left out.
    """
    langs = batch.column("lang")
    if not pa.types.is_dictionary(langs.type):
        langs = pc.dictionary_encode(langs)
    tags = langs.dictionary.to_pylist()
    owners = langs.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    counts = {}
    for measure in measures:
        values = batch.column(measure).to_numpy(zero_copy_only=False).astype(np.float64)
        valid = (owners >= 0) & ~np.isnan(values)
        bins = np.searchsorted(edges(measure), values[valid], side="right") - 1
        flat = owners[valid] * BINS + np.clip(bins, 0, BINS - 1)
        counts[measure] = np.bincount(flat, minlength=len(tags) * BINS).reshape(-1, BINS)
    present = np.bincount(owners[owners >= 0], minlength=len(tags))
    return {tags[row]: {measure: counts[measure][row] for measure in measures} for row in np.flatnonzero(present)}


def add(one: Histogram, other: Histogram) -> Histogram:
    """The sum of two histograms of the same measures."""
    return {measure: counts + other[measure] for measure, counts in one.items()}


def documents(histogram: Histogram, measure: str) -> int:
    """How many documents have the measure."""
    return int(histogram[measure].sum())


def quantile(histogram: Histogram, measure: str, share: float) -> float:
    """The value below which a share of the documents lies, linear within a bin; NaN when there are none."""
    counts = histogram[measure]
    cumulative = np.concatenate(([0], np.cumsum(counts)))
    if not cumulative[-1]:
        return float("nan")
    target = share * cumulative[-1]
    bin_ = int(np.searchsorted(cumulative[1:], target, side="left"))
    bin_ = min(bin_, BINS - 1)
    inside = (target - cumulative[bin_]) / max(int(counts[bin_]), 1)
    low, high = edges(measure)[bin_], edges(measure)[bin_ + 1]
    return float(low + inside * (high - low))
