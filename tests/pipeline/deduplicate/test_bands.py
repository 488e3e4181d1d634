from __future__ import annotations

import numpy as np
import pytest

from pipeline.deduplicate.bands import band_keys, bands_and_rows, candidate_probability, choose, curve
from pipeline.deduplicate.config import NearDuplicateConfig


def test_curve_has_the_values_of_its_formula() -> None:
    assert candidate_probability(0.5, 1, 1) == 0.5
    assert candidate_probability(0.5, 2, 1) == 0.75
    assert candidate_probability(0.5, 2, 3) == pytest.approx(1 - (1 - 0.125) ** 2)
    assert curve(2, 1, 4) == [(0.0, 0.0), (0.25, 0.4375), (0.5, 0.75), (0.75, 0.9375), (1.0, 1.0)]


@pytest.mark.parametrize(
    ("threshold", "expected"), [(0.4, (46, 3)), (0.5, (47, 4)), (0.7, (24, 6)), (0.8, (21, 9)), (1.0, (1, 192))]
)
def test_bands_follow_from_the_threshold(threshold: float, expected: tuple[int, int]) -> None:
    bands, rows = choose(threshold)
    assert (bands, rows) == expected
    assert candidate_probability(threshold, bands, rows) >= 0.95
    assert bands * rows <= 192
    assert bands_and_rows(NearDuplicateConfig(jaccard=threshold)) == expected


def test_threshold_out_of_reach_takes_all_places_one_by_one() -> None:
    assert choose(0.01) == (192, 1)


def test_configured_bands_win_and_come_in_pairs() -> None:
    assert bands_and_rows(NearDuplicateConfig(bands=14, rows=8)) == (14, 8)
    with pytest.raises(ValueError, match="give both `bands` and `rows`, or neither"):
        NearDuplicateConfig(bands=14)


def test_keys_agree_where_all_rows_do_and_bands_have_nothing_in_common() -> None:
    one = [1, 2, 3, 4, 5, 6]
    two = [1, 2, 9, 4, 5, 6]
    same_in_both_bands = [1, 2, 3, 1, 2, 3]
    keys = band_keys(np.array([one, two, same_in_both_bands], np.uint32), 2, 3)
    assert keys.shape == (3, 2)
    assert keys[0, 0] != keys[1, 0]
    assert keys[0, 1] == keys[1, 1]
    assert keys[0, 0] == keys[2, 0]
    assert keys[2, 0] != keys[2, 1]
    assert band_keys(np.array([[1, 2], [2, 1]], np.uint32), 1, 2).ravel().tolist() == [ORDERED, TURNED]


ORDERED, TURNED = 3325691102626104548, 2681017080234765236
