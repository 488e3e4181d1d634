"""Histograms: merging in any order, quantiles, the form on disk."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality import histograms as h
from pipeline.quality.rules import MEASURES


def batch(rows: list[tuple[str | None, float]]) -> pa.RecordBatch:
    columns: dict[str, pa.Array] = {"lang": pa.array([lang for lang, _ in rows], pa.string())}
    for measure in MEASURES:
        columns[measure] = pa.array([value for _, value in rows], pa.float32())
    return pa.record_batch(columns)


ROWS = st.lists(st.tuples(st.sampled_from(["eng_Latn", "zho_Hans", None]), st.floats(0, 2, width=32)), max_size=20)


@settings(max_examples=30, deadline=None)
@given(ROWS, ROWS, ROWS)
def test_merging_is_associative_and_commutative(a: list, b: list, c: list) -> None:
    x, y, z = (h.histograms(batch(rows)) for rows in (a, b, c))
    expected = h.histograms(batch(a + b + c))
    for merged in (h.merge([x, h.merge([y, z])]), h.merge([h.merge([z, x]), y])):
        assert list(merged) == sorted(expected)
        for tag, histogram in merged.items():
            np.testing.assert_array_equal(histogram, expected[tag])


def test_quantiles_are_within_a_bin() -> None:
    values = np.linspace(0, 1, 2001)
    found = h.histograms(batch([("eng_Latn", float(value)) for value in values]))["eng_Latn"]
    for share in (0.0, 0.16, 0.5, 0.84, 0.99, 1.0):
        assert h.quantile(found, "symbol_ratio", share) == pytest.approx(share, abs=0.002)
        assert h.quantile(found, "lang_score", share) == pytest.approx(share, abs=0.002)
    assert h.median(found, "digit_ratio") == pytest.approx(0.5, abs=0.002)
    assert h.std(found, "lang_score") == pytest.approx(math.sqrt(1 / 12), abs=0.002)
    assert h.documents(found, "n_words") == 2001


def test_counts_nulls_nowhere_and_extremes_in_the_outer_bins() -> None:
    columns = {"lang": pa.array(["eng_Latn"] * 3)}
    columns |= {measure: pa.array([None, -5.0, 1e9], pa.float32()) for measure in MEASURES}
    found = h.histograms(pa.record_batch(columns))["eng_Latn"]
    assert found[:, 0].tolist() == [1] * len(MEASURES)
    assert found[:, -1].tolist() == [1] * len(MEASURES)
    assert found.sum() == 2 * len(MEASURES)


def test_empty_histogram_has_no_quantile() -> None:
    nothing = np.zeros((len(MEASURES), h.BINS), np.int64)
    assert math.isnan(h.quantile(nothing, "n_words", 0.5))
    assert math.isnan(h.std(nothing, "n_words"))


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_round_trip_through_json(rows: list) -> None:
    found = h.histograms(batch(rows))
    again = h.from_json(json.loads(json.dumps(h.to_json(found))))
    assert sorted(again) == sorted(found)
    for tag in found:
        np.testing.assert_array_equal(again[tag], found[tag])


def test_other_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="7 bins"):
        h.from_json({"bins": 7, "languages": {}})
