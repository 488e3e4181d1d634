"""What stays of a budget."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.naturalness.config import LimitsConfig, NaturalnessConfig
from pipeline.naturalness.measure import Measure, Naturalness
from pipeline.naturalness.shrink import keep, shrink


def one(**measures: Measure) -> Naturalness:
    return Naturalness("swh_Latn", 100, measures)


def test_within_the_limits_everything_stays() -> None:
    assert shrink(one(retranslated_auc=Measure(0.93, 0.5, 0.89), ngrams=Measure(0.4, 0.12, 0.4))) == (1.0, "")
    assert shrink(one()) == (1.0, "")
    # No limit is set for it unless the recipe does.
    assert shrink(one(auc=Measure(1.0, 0.5, 1.0))) == (1.0, "")


def test_beyond_a_limit_the_share_falls_evenly() -> None:
    found = shrink(one(retranslated_auc=Measure(0.96, 0.52, 0.95), lost_types=Measure(0.1, 0.0, 0.1)))
    assert found.share == pytest.approx(
        (1 - 0.93) / (1 - 0.9)
    )  # 0.95 less the 0.02 that natural halves are above chance
    assert found.why == (
        "swh_Latn keeps 70% of its budget: a classifier tells natural documents from the same ones translated there "
        "and back with AUC 0.96, 0.95 at least (two natural halves 0.52, limit 0.9)"
    )


def test_the_worst_measure_decides_and_a_floor_stays() -> None:
    worst = one(
        retranslated_auc=Measure(0.96, 0.5, 0.95),
        ngrams=Measure(0.85, 0.05, 0.85),
        sentence_length=Measure(float("nan"), 0.1, float("nan")),
    )
    found = shrink(worst)
    assert found.share == pytest.approx((1 - 0.8) / (1 - 0.3))
    assert found.why == (
        "swh_Latn keeps 29% of its budget: the divergence of character 3-grams is 0.85 (two natural halves 0.05, "
        "limit 0.3)"
    )
    nothing = one(ngrams=Measure(1.0, 0.0, 1.0))
    assert shrink(nothing).share == 0.25
    assert shrink(nothing, NaturalnessConfig(floor=0.0)).share == 0
    assert shrink(nothing, NaturalnessConfig(limits=LimitsConfig(ngrams=None))).share == 1


def test_the_least_natural_and_the_lowest_scores_go_first() -> None:
    sizes = [100, 100, 100, 100, 60]
    natural = np.array([0.9, 0.1, np.nan, 0.9, 0.4])
    scores = np.array([0.5, 1.0, 0.8, 0.9, np.nan])
    ids = ["a", "b", "c", "d", "e"]
    # Products: 0.45, 0.1, 0.4, 0.81, 0.2.
    assert keep(sizes, natural, scores, ids, 460).tolist() == [True] * 5
    assert keep(sizes, natural, scores, ids, 300).tolist() == [True, False, True, True, False]
    assert keep(sizes, natural, scores, ids, 260).tolist() == [True, False, False, True, True]
    assert keep(sizes, natural, scores, ids, 0).tolist() == [False] * 5
    assert keep([5, 5], np.ones(2), np.ones(2), ["z", "y"], 5).tolist() == [False, True]
    assert keep([], np.ones(0), np.ones(0), [], 5).tolist() == []


VALUES = st.floats(0, 1)


@given(VALUES, VALUES, VALUES, st.floats(0, 0.99), VALUES)
def test_less_natural_never_keeps_more(value: float, more: float, baseline: float, limit: float, floor: float) -> None:
    config = NaturalnessConfig(floor=floor, limits=LimitsConfig(ngrams=limit))
    low, high = sorted((value, more))
    near = shrink(one(ngrams=Measure(low, baseline, low)), config)
    far = shrink(one(ngrams=Measure(high, baseline, high)), config)
    assert floor <= far.share <= near.share <= 1
    assert (near.share == 1) == (not near.why)


@given(st.lists(st.tuples(st.integers(0, 50), VALUES, VALUES), max_size=12), st.integers(0, 300), st.integers(0, 300))
def test_what_stays_fits(documents: list[tuple[int, float, float]], first: int, second: int) -> None:
    sizes = [size for size, _, _ in documents]
    natural, scores = (np.array([document[place] for document in documents]) for place in (1, 2))
    ids = [str(row) for row in range(len(documents))]
    for allowed in (first, second):
        kept = keep(sizes, natural, scores, ids, allowed)
        assert np.array(sizes, np.int64)[kept].sum() <= allowed
        if sum(sizes) <= allowed:
            assert kept.all()
