"""The shares a recipe asks for."""

from __future__ import annotations

import pytest

from corpus.errors import ConfigurationError
from sampler.config import SamplerConfig
from sampler.mixture import shares

SIZES = {"a": 1000, "b": 100, "c": 10}


def rounded(config: SamplerConfig) -> dict[str, float]:
    return {lang: round(share, 4) for lang, share in shares(config, SIZES).items()}


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


@pytest.mark.parametrize("mixture", [{"z": 1.0}, {"a": -1.0, "b": 2.0}, {"a": 0.0}])
def test_impossible_shares(mixture: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        shares(SamplerConfig(mixture=mixture), SIZES)
