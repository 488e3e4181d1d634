"""Limits from data, between bounds, with the recipe's word last."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.quality.config import FilterConfig, Limit
from pipeline.quality.histograms import histograms
from pipeline.quality.rules import MEASURES, RULES
from pipeline.quality.thresholds import defaults, derive


def one_language(values: list[float], measure: str) -> pa.RecordBatch:
    columns = {"lang": pa.array(["tst_Latn"] * len(values))}
    columns |= {name: pa.array(values if name == measure else [0.5] * len(values), pa.float32()) for name in MEASURES}
    return pa.record_batch(columns)


def test_limit_lies_sigmas_beyond_the_median() -> None:
    values = [0.1 + 0.001 * (place % 101) for place in range(505)]  # median 0.15, 84 % quantile 0.184
    config = FilterConfig(max_symbols=Limit(strictest=0.15, loosest=0.5, default=0.4, sigmas=4))
    limit = derive(histograms(one_language(values, "symbol_ratio")), config)["tst_Latn"]["max_symbols"]
    assert limit == pytest.approx(0.15 + 4 * 0.034, abs=0.01)


def test_counts_spread_by_factors() -> None:
    values = [2.0 ** (place % 11) for place in range(550)]  # median 32, 16 % quantile 2
    config = FilterConfig(min_words=Limit(strictest=30, loosest=0.1, default=8, sigmas=1))
    limit = derive(histograms(one_language(values, "n_words")), config)["tst_Latn"]["min_words"]
    assert limit == pytest.approx(2, rel=0.15)


def test_few_documents_get_the_defaults() -> None:
    found = derive(histograms(one_language([0.9] * 49, "symbol_ratio")), FilterConfig())["tst_Latn"]
    assert found == defaults("tst_Latn", FilterConfig())
    assert found["max_symbols"] == 0.25


def test_the_recipe_wins() -> None:
    config = FilterConfig(languages={"tst_Latn": {"max_symbols": 0.99}})
    found = derive(histograms(one_language([0.01] * 80, "symbol_ratio")), config)["tst_Latn"]
    assert found["max_symbols"] == 0.99


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=50, max_size=80))
def test_limits_stay_within_their_bounds(values: list[float]) -> None:
    config = FilterConfig()
    for measure in ("symbol_ratio", "n_words", "lang_score"):
        found = derive(histograms(one_language(values, measure)), config)["tst_Latn"]
        for rule in RULES:
            limit = config.limit(rule.name)
            low, high = sorted((limit.strictest, limit.loosest))
            assert low <= found[rule.name] <= high


def test_misspelt_override_names_the_nearest() -> None:
    with pytest.raises(ValidationError, match=r"languages\.tha_Thai\.min_punctation.*did you mean 'min_punctuation'"):
        FilterConfig(languages={"tha_Thai": {"min_punctation": 0}})


def test_swapped_bounds_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"max_urls: strictest 0\.9 is looser than loosest 0\.5"):
        FilterConfig(max_urls=Limit(strictest=0.9, loosest=0.5, default=0.5))


@pytest.mark.parametrize(("documents", "expected"), [(1, 0.8), (4, 0.8), (5, 0.25), (49, 0.25)])
def test_a_language_of_a_handful_of_documents_must_be_certain(documents: int, expected: float) -> None:
    found = derive(histograms(one_language([0.9] * documents, "symbol_ratio")), FilterConfig())
    assert found["tst_Latn"]["min_lang_score"] == expected


def test_a_rare_language_can_be_let_in_by_hand() -> None:
    config = FilterConfig(languages={"tst_Latn": {"min_lang_score": 0.1}})
    assert derive(histograms(one_language([0.9], "symbol_ratio")), config)["tst_Latn"]["min_lang_score"] == 0.1
