"""Quantiles from histograms."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curriculum.quantiles import BINS, POINTS, Histogram

Values = st.lists(st.floats(0, 20, width=32), min_size=1, max_size=200)


def test_nothing_has_no_quantiles() -> None:
    assert Histogram.of(np.array([np.nan], np.float32), 4.0).quantiles() == ()


def test_one_value_is_all_quantiles() -> None:
    assert Histogram.of(np.array([1.5, np.nan], np.float32), 4.0).quantiles() == (1.5,) * POINTS


def test_even_values_have_even_quantiles() -> None:
    values = np.linspace(0, 4, 100_001, dtype=np.float32)
    assert Histogram.of(values, 4.0).quantiles() == pytest.approx(tuple(np.linspace(0, 4, POINTS)), abs=4 / BINS)


def test_values_beyond_the_end_keep_the_greatest() -> None:
    found = Histogram.of(np.array([1, 2, 9], np.float32), 4.0).quantiles()
    assert (found[0], found[-1]) == (1.0, 9.0)
    assert found[32] == pytest.approx(2, abs=4 / BINS)


@given(Values, st.integers(1, 5))
def test_histograms_add_up_and_quantiles_rise_between_the_ends(values: list[float], parts: int) -> None:
    array = np.array(values, np.float32)
    whole = Histogram.of(array, 16.0)
    added = reduce(lambda one, two: one + two, [Histogram.of(array[part::parts], 16.0) for part in range(parts)])
    found = whole.quantiles()
    assert added.quantiles() == found
    assert len(found) == POINTS
    assert list(found) == sorted(found)
    assert (found[0], found[-1]) == (float(array.min()), float(array.max()))
    middle = np.quantile(array.astype(np.float64), 0.5, method="inverted_cdf")
    if middle < 16:
        assert found[32] <= middle + 1.5 * 16 / BINS
