"""Histograms of the measures per language: what thresholds are derived from, mergeable in any order.

The bins are fixed, so merging is adding integers: associative, commutative, the same on any number of workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality.rules import MEASURES

BINS: Final = 160

Histogram = npt.NDArray[np.int64]
"""Counts of shape (len(MEASURES), BINS)."""

LOGARITHMIC: Final = {"n_words": (1.0, 1e7), "mean_word_length": (1.0, 1e4)}
"""Measures on a logarithmic scale, with the smallest and the largest value told apart."""
_LINEAR: Final = frozenset({"lang_score", "lexical_diversity"})


@lru_cache(maxsize=1)
def edges() -> npt.NDArray[np.float64]:
    """Bin edges, shape (len(MEASURES), BINS + 1).

    Counts have logarithmic bins; shares have bins that grow with the square, as small shares matter most.
    """
    steps = np.linspace(0, 1, BINS + 1)
    rows = []
    for measure in MEASURES:
        if measure in LOGARITHMIC:
            low, high = np.log(LOGARITHMIC[measure])
            rows.append(np.exp(low + steps * (high - low)))
        elif measure in _LINEAR:
            rows.append(steps)
        else:
            rows.append(steps**2)
    return np.stack(rows)


def histograms(batch: pa.RecordBatch) -> dict[str, Histogram]:
    """Histograms of a batch's measures.

    Args:
        batch: with the columns ``lang`` and all MEASURES; values beyond the outermost bins count in them, nulls
            and NaN nowhere.

    Returns:
        by language tag; rows without one are left out.
    """
    langs = batch.column("lang")
    if not pa.types.is_dictionary(langs.type):
        langs = pc.dictionary_encode(langs)
    tags = langs.dictionary.to_pylist()
    owners = langs.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    counts = np.zeros((len(tags), len(MEASURES), BINS), np.int64)
    for number, measure in enumerate(MEASURES):
        values = batch.column(measure).to_numpy(zero_copy_only=False).astype(np.float64)
        valid = (owners >= 0) & ~np.isnan(values)
        bins = np.searchsorted(edges()[number], values[valid], side="right") - 1
        flat = owners[valid] * BINS + np.clip(bins, 0, BINS - 1)
        counts[:, number] = np.bincount(flat, minlength=len(tags) * BINS).reshape(-1, BINS)
    present = np.bincount(owners[owners >= 0], minlength=len(tags))
    return {tags[row]: counts[row] for row in np.flatnonzero(present)}


def merge(parts: Iterable[Mapping[str, Histogram]]) -> dict[str, Histogram]:
    """The sum of several sets of histograms, in the order of their tags."""
    total: dict[str, Histogram] = {}
    for part in parts:
        for tag, histogram in part.items():
            total[tag] = total[tag] + histogram if tag in total else histogram.copy()
    return dict(sorted(total.items()))


def documents(histogram: Histogram, measure: str) -> int:
    """How many documents have the measure."""
    return int(histogram[MEASURES.index(measure)].sum())


def quantile(histogram: Histogram, measure: str, share: float) -> float:
    """The value below which a share of the documents lies, linear within a bin; NaN when there are none."""
    row = MEASURES.index(measure)
    cumulative = np.concatenate(([0], np.cumsum(histogram[row])))
    if not cumulative[-1]:
        return float("nan")
    target = share * cumulative[-1]
    bin_ = int(np.searchsorted(cumulative[1:], target, side="left"))
    bin_ = min(bin_, BINS - 1)
    inside = (target - cumulative[bin_]) / max(int(histogram[row, bin_]), 1)
    low, high = edges()[row, bin_], edges()[row, bin_ + 1]
    return float(low + inside * (high - low))


def median(histogram: Histogram, measure: str) -> float:
    """The value in the middle."""
    return quantile(histogram, measure, 0.5)


def std(histogram: Histogram, measure: str) -> float:
    """Standard deviation, each document at the middle of its bin; NaN when there are none."""
    row = MEASURES.index(measure)
    total = histogram[row].sum()
    if not total:
        return float("nan")
    middles = (edges()[row, 1:] + edges()[row, :-1]) / 2
    mean = (histogram[row] * middles).sum() / total
    return float(np.sqrt((histogram[row] * (middles - mean) ** 2).sum() / total))


def to_json(parts: Mapping[str, Histogram]) -> dict[str, Any]:
    """A small form for a file: of each row only the bins that are not empty, as [bin, count] pairs."""
    languages = {
        tag: {
            measure: [[int(bin_), int(row[bin_])] for bin_ in np.flatnonzero(row)]
            for measure, row in zip(MEASURES, histogram, strict=True)
        }
        for tag, histogram in sorted(parts.items())
    }
    return {"bins": BINS, "languages": languages}


def from_json(data: Mapping[str, Any]) -> dict[str, Histogram]:
    """Histograms as ``to_json`` wrote them.

    Raises:
        ValueError: they were made with other bins.
    """
    if data["bins"] != BINS:
        raise ValueError(f"histograms with {data['bins']} bins cannot be merged with those of {BINS}")
    result: dict[str, Histogram] = {}
    for tag, measures in data["languages"].items():
        histogram = np.zeros((len(MEASURES), BINS), np.int64)
        for measure, pairs in measures.items():
            for bin_, count in pairs:
                histogram[MEASURES.index(measure), bin_] = count
        result[tag] = histogram
    return result
