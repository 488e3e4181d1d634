"""Histograms: quantiles, and what is counted where."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from pipeline.quality import histograms as h
from pipeline.quality.rules import MEASURES


def batch(rows: list[tuple[str | None, float]]) -> pa.RecordBatch:
    columns: dict[str, pa.Array] = {"lang": pa.array([lang for lang, _ in rows], pa.string())}
    for measure in MEASURES:
        columns[measure] = pa.array([value for _, value in rows], pa.float32())
    return pa.record_batch(columns)


def test_quantiles_are_within_a_bin() -> None:
    values = np.linspace(0, 1, 2001)
    found = h.histograms(batch([("eng_Latn", float(value)) for value in values]))["eng_Latn"]
    for share in (0.0, 0.16, 0.5, 0.84, 0.99, 1.0):
        assert h.quantile(found, "symbol_ratio", share) == pytest.approx(share, abs=0.002)
        assert h.quantile(found, "lang_score", share) == pytest.approx(share, abs=0.002)
    assert h.quantile(found, "digit_ratio", 0.5) == pytest.approx(0.5, abs=0.002)
    assert h.documents(found, "n_words") == 2001


def test_counts_nulls_nowhere_and_extremes_in_the_outer_bins() -> None:
    columns = {"lang": pa.array(["eng_Latn"] * 3)}
    columns |= {measure: pa.array([None, -5.0, 1e9], pa.float32()) for measure in MEASURES}
    found = h.histograms(pa.record_batch(columns))["eng_Latn"]
    assert [counts[0] for counts in found.values()] == [1] * len(MEASURES)
    assert [counts[-1] for counts in found.values()] == [1] * len(MEASURES)
    assert [counts.sum() for counts in found.values()] == [2] * len(MEASURES)


def test_only_the_measures_asked_for_are_counted() -> None:
    found = h.histograms(batch([("eng_Latn", 0.5)]), ["n_words"])["eng_Latn"]
    assert list(found) == ["n_words"]
    assert {measure: counts.tolist() for measure, counts in h.add(found, found).items()} == {
        "n_words": (2 * found["n_words"]).tolist()
    }


def test_empty_histogram_has_no_quantile() -> None:
    nothing = {measure: np.zeros(h.BINS, np.int64) for measure in MEASURES}
    assert math.isnan(h.quantile(nothing, "n_words", 0.5))
    assert h.documents(nothing, "n_words") == 0
