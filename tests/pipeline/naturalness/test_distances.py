"""Distances between samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.naturalness.distances import jensen_shannon, kolmogorov_smirnov, lost_types


def test_divergence_in_bits() -> None:
    assert jensen_shannon(np.array([2, 2, 0]), np.array([5, 5, 0])) == 0
    assert jensen_shannon(np.array([3, 0]), np.array([0, 1])) == 1
    # Of (1, 0) and (1/2, 1/2) around (3/4, 1/4): (log2(4/3) + (log2(2/3) + log2(2)) / 2) / 2.
    expected = (math.log2(4 / 3) + (math.log2(2 / 3) + 1) / 2) / 2
    assert jensen_shannon(np.array([4, 0]), np.array([1, 1])) == pytest.approx(expected)
    assert math.isnan(jensen_shannon(np.array([0, 0]), np.array([1, 0])))


def test_largest_difference_of_shares_below_a_value() -> None:
    assert kolmogorov_smirnov(np.array([1, 2, 3, 4]), np.array([1, 2, 3, 4])) == 0
    assert kolmogorov_smirnov(np.array([1, 2]), np.array([7, 8, 9])) == 1
    assert kolmogorov_smirnov(np.array([1, 2, 3, 4]), np.array([3, 4, 5, 6])) == 0.5
    assert math.isnan(kolmogorov_smirnov(np.array([], np.int64), np.array([1])))


def test_different_words_at_equal_numbers_of_words() -> None:
    rich, poor = np.array([1, 2, 3, 4, 5, 6], np.uint64), np.array([1, 1, 2, 2], np.uint64)
    assert lost_types(poor, rich) == 0.5  # two different words instead of four
    assert lost_types(rich, poor) == -1
    assert math.isnan(lost_types(poor[:0], rich))


COUNTS = st.lists(st.integers(0, 1000), min_size=3, max_size=3).filter(any)


@given(COUNTS, COUNTS)
def test_divergence_is_symmetric_and_between_nothing_and_one_bit(first: list[int], second: list[int]) -> None:
    one, other = np.array(first), np.array(second)
    assert 0 <= jensen_shannon(one, other) <= 1 + 1e-9
    assert jensen_shannon(one, other) == pytest.approx(jensen_shannon(other, one))
    assert jensen_shannon(one, one * 7) == pytest.approx(0, abs=1e-9)
