"""Limits from data, between bounds, told where they come from, with the recipe's word last."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.quality.config import FilterConfig, Limit
from pipeline.quality.rules import MEASURES, RULES
from pipeline.quality.survey import merge, survey
from pipeline.quality.thresholds import Derived, defaults, derive


def one_language(values: list[float], measure: str, hosts: int = 8, lang: str = "tst_Latn") -> pa.RecordBatch:
    columns = {"lang": pa.array([lang] * len(values))}
    columns |= {name: pa.array(values if name == measure else [0.5] * len(values), pa.float32()) for name in MEASURES}
    urls = [f"https://site{place % hosts}.example/{place}" for place in range(len(values))]
    return pa.record_batch(columns | {"url": pa.array(urls)})


def derived(values: list[float], measure: str, config: FilterConfig | None = None, hosts: int = 8) -> Derived:
    return derive(survey(one_language(values, measure, hosts), config or FilterConfig()), config or FilterConfig())


SPREAD = [0.1 + 0.001 * (place % 101) for place in range(505)]
"""Median 0.15, 84 % quantile 0.184: four times the spread beyond the median is 0.286."""


def test_limit_lies_sigmas_beyond_the_median() -> None:
    config = FilterConfig(max_symbols=Limit(strictest=0.15, loosest=0.5, default=0.4, sigmas=4))
    found = derived(SPREAD, "symbol_ratio", config)
    assert found.thresholds["tst_Latn"]["max_symbols"] == pytest.approx(0.286, abs=0.01)
    facts = found.facts["tst_Latn"]
    assert facts.documents == 505
    assert facts.sources == pytest.approx(8, rel=0.1)
    assert facts.origins["max_symbols"] == "derived"
    assert facts.measured["max_symbols"] == found.thresholds["tst_Latn"]["max_symbols"]


@pytest.mark.parametrize(
    ("limit", "value", "origin"),
    [
        (Limit(strictest=0.3, loosest=0.5, default=0.4), 0.3, "strictest"),
        (Limit(strictest=0.15, loosest=0.25, default=0.2), 0.25, "loosest"),
    ],
)
def test_a_clipped_limit_says_at_which_bound(limit: Limit, value: float, origin: str) -> None:
    found = derived(SPREAD, "symbol_ratio", FilterConfig(max_symbols=limit))
    assert found.thresholds["tst_Latn"]["max_symbols"] == value
    assert found.facts["tst_Latn"].origins["max_symbols"] == origin
    assert found.facts["tst_Latn"].measured["max_symbols"] == pytest.approx(0.286, abs=0.01)


def test_counts_spread_by_factors() -> None:
    values = [2.0 ** (place % 11) for place in range(550)]  # median 32, 16 % quantile 2
    config = FilterConfig(min_words=Limit(strictest=30, loosest=0.1, default=8, sigmas=1))
    limit = derived(values, "n_words", config).thresholds["tst_Latn"]["min_words"]
    assert limit == pytest.approx(2, rel=0.15)


def test_few_documents_get_the_defaults() -> None:
    found = derived([0.9] * 49, "symbol_ratio")
    assert found.thresholds["tst_Latn"] == defaults("tst_Latn", FilterConfig())
    assert found.thresholds["tst_Latn"]["max_symbols"] == 0.25
    assert set(found.facts["tst_Latn"].origins.values()) == {"few_documents"}
    assert found.facts["tst_Latn"].measured == {}


@pytest.mark.parametrize(
    ("hosts", "share", "value", "origin"),
    [
        # One site of children's stories without a symbol: what it would set, 0.15, is not trusted; 0.25 holds.
        (1, 0.0, 0.25, "few_sources"),
        (3, 0.0, 0.25, "few_sources"),
        (8, 0.0, 0.15, "strictest"),
        # One site of formulas: what it would set rejects less than the default, and holds.
        (1, 0.3, 0.3, "few_sources"),
        (8, 0.3, 0.3, "derived"),
    ],
)
def test_few_sources_never_tighten_a_limit(hosts: int, share: float, value: float, origin: str) -> None:
    found = derived([share] * 400, "symbol_ratio", hosts=hosts)
    assert found.thresholds["tst_Latn"]["max_symbols"] == pytest.approx(value, abs=0.03)  # four bins wide
    assert found.facts["tst_Latn"].origins["max_symbols"] == origin


def test_few_sources_never_tighten_a_lower_limit() -> None:
    tight, loose = derived([200.0] * 400, "n_words", hosts=1), derived([6.0] * 400, "n_words", hosts=1)
    assert tight.thresholds["tst_Latn"]["min_words"] == 8
    assert loose.thresholds["tst_Latn"]["min_words"] == pytest.approx(6, rel=0.15)


def test_a_site_that_holds_nearly_all_is_one_source_however_many_stand_beside_it() -> None:
    urls = ["https://yo.wiki.example/1"] * 960 + [f"https://site{place}.example/" for place in range(40)]
    batch = one_language([0.0] * 1000, "symbol_ratio")
    batch = batch.set_column(batch.schema.get_field_index("url"), "url", pa.array(urls))
    found = derive(survey(batch, FilterConfig()), FilterConfig())
    assert found.facts["tst_Latn"].sources == pytest.approx(1.1, abs=0.1)
    assert found.facts["tst_Latn"].origins["max_symbols"] == "few_sources"


def test_the_recipe_wins() -> None:
    config = FilterConfig(languages={"tst_Latn": {"max_symbols": 0.99}})
    found = derived([0.01] * 80, "symbol_ratio", config)
    assert found.thresholds["tst_Latn"]["max_symbols"] == 0.99
    assert found.facts["tst_Latn"].origins["max_symbols"] == "by_hand"


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=50, max_size=80), st.integers(1, 9))
def test_limits_stay_within_their_bounds(values: list[float], hosts: int) -> None:
    config = FilterConfig()
    for measure in ("symbol_ratio", "n_words", "lang_score"):
        found = derived(values, measure, hosts=hosts).thresholds["tst_Latn"]
        for rule in RULES:
            limit = config.limit(rule.name)
            if limit is None:
                assert rule.name not in found
                continue
            low, high = sorted((limit.strictest, limit.loosest))
            assert low <= found[rule.name] <= high


def test_a_rule_that_is_off_has_no_limit_unless_the_recipe_gives_one() -> None:
    found = derived([0.1] * 80, "bullet_line_share", FilterConfig(languages={"tst_Latn": {"max_hashes": 0.1}}))
    assert "max_bullet_lines" not in found.thresholds["tst_Latn"]
    assert found.thresholds["tst_Latn"]["max_hashes"] == 0.1
    assert found.facts["tst_Latn"].origins["max_hashes"] == "by_hand"


def test_a_number_is_one_limit_for_every_language() -> None:
    config = FilterConfig.model_validate({"max_bullet_lines": 0.9, "max_urls": 1})
    assert config.max_bullet_lines == Limit(strictest=0.9, loosest=0.9, default=0.9)
    found = derived([0.1] * 80, "bullet_line_share", config)
    assert found.thresholds["tst_Latn"]["max_bullet_lines"] == 0.9
    assert found.thresholds["tst_Latn"]["max_urls"] == 1
    with pytest.raises(ValidationError, match="max_bullet_lines"):
        FilterConfig.model_validate({"max_bullet_lines": "many"})


def test_misspelt_override_names_the_nearest() -> None:
    with pytest.raises(ValidationError, match=r"languages\.tha_Thai\.min_punctation.*did you mean 'min_punctuation'"):
        FilterConfig(languages={"tha_Thai": {"min_punctation": 0}})


def test_swapped_bounds_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"max_urls: strictest 0\.9 is looser than loosest 0\.5"):
        FilterConfig(max_urls=Limit(strictest=0.9, loosest=0.5, default=0.5))


CROWD = one_language([0.9] * 5000, "symbol_ratio", lang="eng_Latn")


def rare(documents: int, config: FilterConfig, crowd: int = 5000, known: int = 0) -> float | None:
    few = one_language([0.9] * documents, "symbol_ratio")
    found = derive(merge([survey(few, config), survey(CROWD.slice(0, crowd), config)]), config, {"tst_Latn": known})
    limit = found.thresholds["tst_Latn"].get("min_rare_score")
    assert (found.facts["tst_Latn"].origins.get("min_rare_score") == "rare_language") == (limit is not None)
    assert "min_rare_score" not in found.thresholds.get("eng_Latn", {})
    return limit


@pytest.mark.parametrize(("documents", "expected"), [(1, 0.8), (4, 0.8), (5, None), (49, None)])
def test_a_language_of_a_handful_of_documents_must_be_certain(documents: int, expected: float | None) -> None:
    assert rare(documents, FilterConfig()) == expected


def test_in_a_small_corpus_no_language_is_rare() -> None:
    assert rare(3, FilterConfig(), crowd=60) is None
    assert rare(3, FilterConfig(rare_share=1), crowd=60) == 0.8


def test_documents_of_earlier_snapshots_count() -> None:
    assert rare(3, FilterConfig(), known=2) is None


def test_a_rare_language_can_be_let_in_by_hand() -> None:
    assert rare(1, FilterConfig(languages={"tst_Latn": {"min_lang_score": 0.1}})) is None
