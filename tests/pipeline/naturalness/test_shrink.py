"""What stays of a budget."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.naturalness.config import LimitsConfig, NaturalnessConfig
from pipeline.naturalness.measure import Measure, Naturalness
from pipeline.naturalness.shrink import best_first, shrink


def one(**measures: Measure) -> Naturalness:
    return Naturalness("swh_Latn", 100, measures)


def test_within_the_limits_everything_stays() -> None:
    assert shrink(one(retranslated_auc=Measure(0.93, 0.5, 0.89), ngrams=Measure(0.4, 0.12, 0.4))) == (1.0, "")
    assert shrink(one()) == (1.0, "")
    # No limit is set for it unless the recipe does.
    assert shrink(one(auc=Measure(1.0, 0.5, 1.0))) == (1.0, "")


def test_beyond_a_limit_the_share_falls_evenly() -> None:
    found = shrink(one(retranslated_auc=Measure(0.96, 0.5, 0.93), lost_types=Measure(0.1, 0.0, 0.1)))
    assert found.share == pytest.approx((1 - 0.93) / (1 - 0.9))
    assert found.why == (
        "a classifier tells natural documents from the same ones translated there and back "
        "with AUC 0.96, 0.93 at least (chance 0.50, limit 0.9)"
    )


def test_what_natural_halves_differ_by_is_taken_off() -> None:
    config = NaturalnessConfig(limits=LimitsConfig(style_auc=0.8, ngrams=None))
    found = shrink(one(style_auc=Measure(0.96, 0.52, 0.92), ngrams=Measure(1.0, 0.0, 1.0)), config)
    assert found.share == pytest.approx((1 - 0.9) / (1 - 0.8))
    assert found.why.endswith("with AUC 0.96, 0.92 at least (two natural halves 0.52, limit 0.8)")
    # Halves that chance made look alike take nothing off.
    assert shrink(one(style_auc=Measure(0.96, 0.4, 0.92)), config).share == pytest.approx((1 - 0.92) / (1 - 0.8))


def test_the_worst_measure_decides_and_a_floor_stays() -> None:
    worst = one(
        retranslated_auc=Measure(0.96, 0.5, 0.95),
        ngrams=Measure(0.85, 0.05, 0.85),
        sentence_length=Measure(float("nan"), 0.1, float("nan")),
    )
    found = shrink(worst)
    assert found.share == pytest.approx((1 - 0.8) / (1 - 0.35))
    assert found.why == ("the divergence of character 3-grams is 0.85 (two natural halves 0.05, limit 0.35)")
    nothing = one(ngrams=Measure(1.0, 0.0, 1.0))
    assert shrink(nothing).share == 0
    assert shrink(nothing, NaturalnessConfig(floor=0.25)).share == 0.25
    assert shrink(nothing, NaturalnessConfig(limits=LimitsConfig(ngrams=None))).share == 1


def test_the_least_natural_and_the_lowest_scores_go_first() -> None:
    natural = np.array([0.9, 0.1, np.nan, 0.9, 0.4, 0.0, 0.0, 0.0])
    scores = np.array([0.5, 1.0, 0.8, 0.9, np.nan, 0.3, 0.7, 0.3])
    # Products: 0.45, 0.1, 0.4, 0.81, 0.2, and nothing three times, where the score decides, then the id.
    assert best_first(natural, scores, list("abcdezyx")).tolist() == [3, 0, 2, 4, 1, 6, 7, 5]
    assert best_first(np.ones(0), np.ones(0), []).tolist() == []


VALUES = st.floats(0, 1)


@given(VALUES, VALUES, VALUES, st.floats(0, 0.99), VALUES)
def test_less_natural_never_keeps_more(value: float, more: float, baseline: float, limit: float, floor: float) -> None:
    config = NaturalnessConfig(floor=floor, limits=LimitsConfig(ngrams=limit))
    low, high = sorted((value, more))
    near = shrink(one(ngrams=Measure(low, baseline, low)), config)
    far = shrink(one(ngrams=Measure(high, baseline, high)), config)
    assert floor <= far.share <= near.share <= 1
    assert (near.share == 1) == (not near.why)
