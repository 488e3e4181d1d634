"""The shares a recipe asks for."""

from __future__ import annotations

import pytest

from corpus.errors import ConfigurationError
from sampler.config import SamplerConfig
from sampler.mixture import bounded, rule, shares

SIZES = {"a": 1000, "b": 100, "c": 10}


def rounded(config: SamplerConfig) -> dict[str, float]:
    budget = float(config.budget_tokens or sum(SIZES.values()))
    return {lang: round(share, 4) for lang, share in shares(rule(config), SIZES, budget).items()}


def test_named_mixtures() -> None:
    assert rounded(SamplerConfig(mixture="proportional")) == {"a": 0.9009, "b": 0.0901, "c": 0.009}
    assert rounded(SamplerConfig(mixture="uniform")) == {"a": 0.3333, "b": 0.3333, "c": 0.3333}
    assert rounded(SamplerConfig(mixture="temperature", alpha=0.5)) == {"a": 0.7061, "b": 0.2233, "c": 0.0706}
    # Budget 300: 100 each, but c has 10 tokens and may be seen four times; 260 are left for two.
    assert rounded(SamplerConfig(mixture="unimax", epochs=4, budget_tokens=300)) == {
        "a": 0.4333,
        "b": 0.4333,
        "c": 0.1333,
    }


def test_manual_shares_are_normalised_and_leave_out_who_is_not_named() -> None:
    assert rounded(SamplerConfig(mixture={"a": 1, "c": 3})) == {"a": 0.25, "b": 0.0, "c": 0.75}
    assert rounded(SamplerConfig(mixture={"a": 1, "c": 3}, floor=0.1)) == {"a": 0.25, "b": 0.0, "c": 0.75}


def test_repeats_are_capped_under_any_mixture() -> None:
    # 1,110 tokens: c may have 2 x 10, b 2 x 100, the rest goes to a.
    config = SamplerConfig(mixture="uniform", max_repeats=2)
    assert rounded(config) == {"a": round(890 / 1110, 4), "b": round(200 / 1110, 4), "c": round(20 / 1110, 4)}


def test_what_earlier_stages_gave_counts_for_unimax_and_caps() -> None:
    # 40 of c's 10 * 4 tokens and 150 of b's 100 * 4 were sampled; c gets no more, b at most 250 of the 600.
    given = {"a": 100.0, "b": 150.0, "c": 40.0}
    unimax = rule(SamplerConfig(mixture="unimax", epochs=4))
    assert shares(unimax, SIZES, 600, given) == pytest.approx({"a": 350 / 600, "b": 250 / 600, "c": 0})
    capped = rule(SamplerConfig(mixture="uniform", max_repeats=4))
    assert shares(capped, SIZES, 600, given) == pytest.approx({"a": 350 / 600, "b": 250 / 600, "c": 0})
    # Everything that the caps allow was sampled: then the sizes decide.
    spent = {"a": 4000.0, "b": 400.0, "c": 40.0}
    assert shares(unimax, SIZES, 600, spent) == pytest.approx({"a": 1000 / 1110, "b": 100 / 1110, "c": 10 / 1110})


def test_floors_and_caps_hold_for_shares_by_hand() -> None:
    settings = rule(SamplerConfig(max_repeats=4, floor=0.2))
    # c may have 40 of the 400 tokens, less than its floor; b is lifted to its floor.
    found = bounded({"a": 0.95, "b": 0.04, "c": 0.01}, settings, SIZES, 400)
    assert found == pytest.approx({"a": 0.9 * 0.6 / 0.8, "b": 0.9 * 0.2 / 0.8, "c": 0.1})
    assert bounded({"a": 1.0}, settings, SIZES, 400) == {"a": 1.0, "b": 0.0, "c": 0.0}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"floor": 0.4},
            r"sampler.floor 0.4 for 3 languages asks for 120% of the rows. Set it to 0.333 or less",
        ),
        (
            {"max_repeats": 2, "budget_tokens": 3000},
            r"max_repeats 2 allows 2,220 tokens of its 3 languages; 3,000 are to be sampled. Raise it to 2.71 or more",
        ),
    ],
)
def test_floors_and_caps_that_no_mixture_can_keep(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        rounded(SamplerConfig.model_validate(settings))


@pytest.mark.parametrize("mixture", [{"z": 1.0}, {"a": -1.0, "b": 2.0}, {"a": 0.0}])
def test_impossible_shares(mixture: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        shares(rule(SamplerConfig(mixture=mixture)), SIZES, 1110)
