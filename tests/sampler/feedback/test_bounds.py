"""Mixtures within floors and caps, on their grid."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampler.feedback.bounds import Bounds, bounds, follow, on_grid, project
from sampler.quota import UNIT

NAN = float("nan")


def free(base: list[float]) -> Bounds:
    """Bounds that bind nothing."""
    return bounds(np.array(base), floor=0, cap=math.inf, smoothing=0, least=0, most=np.ones(len(base)))


def test_shares_follow_the_scores() -> None:
    score, even = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    assert follow(score, even, free([0.5, 0.5]), 0.0) == pytest.approx([0.7310586, 0.2689414])
    # A tenth of the base mixed in: 0.9 * 0.7310586 + 0.05.
    assert follow(score, even, free([0.5, 0.5]), 0.1) == pytest.approx([0.7079527, 0.2920473])


def test_a_language_without_a_score_keeps_its_share() -> None:
    score, present = np.array([math.log(3), 0.0, NAN]), np.array([0.1, 0.7, 0.2])
    assert follow(score, present, free([0.4, 0.4, 0.2]), 0.0) == pytest.approx([0.6, 0.2, 0.2])


def test_caps_and_floors_hold_and_the_others_keep_their_proportions() -> None:
    allowed = bounds(np.array([0.4, 0.4, 0.2]), floor=0.5, cap=1.5, smoothing=0, least=0, most=np.ones(3))
    assert allowed.lower == pytest.approx([0.2, 0.2, 0.1])
    assert allowed.upper == pytest.approx([0.6, 0.6, 0.3])
    # Unbound 0.84, 0.042 and 0.118: the cap and a floor hold, and what is left is 0.2.
    found = follow(np.array([3.0, 0.0, 1.725]), np.array([0.4, 0.4, 0.2]), allowed, 0.0)
    assert found == pytest.approx([0.6, 0.2, 0.2])


def test_passes_that_are_left_win_over_every_floor() -> None:
    allowed = bounds(np.array([0.5, 0.5]), floor=0.9, cap=2, smoothing=0, least=0.4, most=np.array([0.1, 1.0]))
    assert allowed.base == pytest.approx([0.1, 0.9])
    assert allowed.upper == pytest.approx([0.1, 1.0])
    assert np.all(allowed.lower <= allowed.upper)


def test_all_at_their_last_pass() -> None:
    allowed = bounds(np.array([0.5, 0.5]), floor=0, cap=9, smoothing=0, least=0, most=np.array([0.1, 0.3]))
    assert allowed.base == pytest.approx([0.25, 0.75])


def test_a_floor_above_an_even_share_is_an_even_share() -> None:
    allowed = bounds(np.array([0.9, 0.1, 0.0]), floor=0, cap=9, smoothing=0, least=0.8, most=np.ones(3))
    assert allowed.base == pytest.approx([0.5, 0.5, 0.0])


def test_projection_clips_a_multiple_of_what_is_wanted() -> None:
    wanted, lower, upper = np.array([8.0, 4.0, 1.0]), np.array([0.0, 0.0, 0.2]), np.array([0.5, 1.0, 1.0])
    assert project(wanted, lower, upper) == pytest.approx([0.5, 0.3, 0.2])


def test_the_grid_has_eight_significant_bits() -> None:
    thirds = np.full(3, 1 / 3)
    assert (on_grid(thirds, free([1 / 3] * 3)) / 2**23).tolist() == [171, 171, 170]
    # 0.0037 is 242.48 * 2**-16 and 0.0013 is 170.39 * 2**-17: up, while there is room for it; then the large one fits.
    shares = np.array([0.995, 0.0037, 0.0013])
    found = on_grid(shares, free(shares.tolist()))
    assert found.tolist() == [UNIT - (243 << 16) - (171 << 15), 243 << 16, 171 << 15]


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_floors_caps_and_the_sum_always_hold(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 60))
    sizes = np.array(data.draw(st.lists(st.floats(1e-6, 1), min_size=count, max_size=count)))
    absent = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    base = np.where(absent, 0.0, sizes)
    base = base / base.sum() if base.sum() > 0 else sizes / sizes.sum()
    scores = np.array(data.draw(st.lists(st.just(NAN) | st.floats(-30, 30), min_size=count, max_size=count)))
    present = np.array(data.draw(st.lists(st.floats(0.001, 1), min_size=count, max_size=count)))
    present = np.where(base > 0, present, 0.0)
    present /= present.sum()
    most = np.array(data.draw(st.lists(st.floats(0.05, 1), min_size=count, max_size=count)))
    smoothing = data.draw(st.floats(0, 1))
    allowed = bounds(
        base,
        floor=data.draw(st.floats(0, 1)),
        cap=data.draw(st.floats(1, 10)),
        smoothing=smoothing,
        least=data.draw(st.floats(0, 0.9)),
        most=most,
    )
    assert allowed.base.sum() == pytest.approx(1)
    assert np.all(allowed.lower <= allowed.base + 1e-9)
    assert np.all(allowed.base <= allowed.upper + 1e-9)
    weights = on_grid(follow(scores, present, allowed, smoothing), allowed)
    assert int(weights.sum()) == UNIT
    assert np.all(weights[base == 0] == 0)
    units = count + 1  # rounding of the bounds themselves
    assert np.all(weights >= np.floor(allowed.lower * UNIT) - units)
    assert np.all(weights <= np.ceil(allowed.upper * UNIT) + units)
    if most[base > 0].sum() >= 1:
        assert np.all(weights <= np.ceil(most * UNIT) + units)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(1e-6, 1), min_size=2, max_size=300))
def test_shares_change_little_on_the_grid(sizes: list[float]) -> None:
    shares = np.array(sizes) / sum(sizes)
    weights = on_grid(shares, free(shares.tolist()))
    bits = [len(f"{int(weight):b}".rstrip("0")) for weight in weights]
    assert sum(bit > 8 for bit in bits) <= 1
    others = np.arange(len(shares)) != np.argmax(weights)
    assert np.all(np.abs(weights / UNIT - shares)[others] < np.maximum(shares / 127, 2.0**-24)[others])
