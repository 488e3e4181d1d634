from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.config import LanguageLossConfig, StrengthScheduleConfig
from trainer.weighting.factors import LanguageFactors, bounded


def factors(config: LanguageLossConfig, baseline: list[float] | None = None, total: int = 10) -> LanguageFactors:
    return LanguageFactors(config, torch.full((2,), 100.0), torch.tensor(baseline or [0.0, 0.0]), total)


def sums(*pairs: tuple[float, float]) -> torch.Tensor:
    return torch.tensor(pairs, dtype=torch.float64)


def test_starts_at_one_and_follows_the_losses_of_the_steps_before() -> None:
    found = factors(LanguageLossConfig(name="focal", floor=0.0, cap=100.0))
    assert found.at(0).tolist() == [1.0, 1.0]
    found.update(sums((400.0, 100.0), (200.0, 200.0)))  # means 4 and 1, shares 1/3 and 2/3, mean 2
    assert found.at(1).tolist() == pytest.approx([2.0, 0.5])


def test_losses_are_smoothed_and_a_language_that_is_absent_keeps_its_own() -> None:
    found = factors(LanguageLossConfig(name="focal", floor=0.0, cap=100.0, smoothing=0.5))
    found.update(sums((400.0, 100.0), (200.0, 200.0)))
    found.update(sums((400.0, 100.0), (0.0, 0.0)))
    # Language 0 has 600 nats over 150 tokens, language 1 has 100 over 100: means 4 and 1, shares 0.6 and 0.4.
    assert found.at(2).tolist() == pytest.approx([4 / 2.8, 1 / 2.8])


def test_the_baseline_is_taken_off() -> None:
    found = factors(LanguageLossConfig(name="focal", floor=0.0, cap=100.0), baseline=[3.0, 0.0])
    found.update(sums((400.0, 100.0), (100.0, 100.0)))
    assert found.at(1).tolist() == pytest.approx([1.0, 1.0])


def test_strength_is_scheduled() -> None:
    schedule = StrengthScheduleConfig(warmup=0.5)
    found = factors(LanguageLossConfig(name="focal", floor=0.0, cap=100.0, strength=0.6, schedule=schedule))
    found.update(sums((400.0, 100.0), (200.0, 200.0)))
    assert found.strength(0) == pytest.approx(0.1)
    assert found.at(0).tolist() == pytest.approx([1.1, 0.95])
    assert found.at(9).tolist() == pytest.approx([1.6, 0.7])


def test_bounds_hold_and_the_mean_over_tokens_is_one() -> None:
    share = torch.tensor([0.01, 0.09, 0.9])
    found = bounded(torch.tensor([80.0, 2.0, 0.02]), share, 0.5, 5.0)
    assert (share * found).sum().item() == pytest.approx(1.0)
    assert found.tolist() == pytest.approx([5.0, 5.0, 0.5555556], rel=1e-3)


@given(parts=st.lists(st.tuples(st.integers(1, 10_000), st.floats(0, 1000)), min_size=1, max_size=12))
def test_factors_of_any_ratio(parts: list[tuple[int, float]]) -> None:
    share = torch.tensor([float(part) for part, _ in parts])
    share = share / share.sum()
    found = bounded(torch.tensor([ratio for _, ratio in parts]), share, 0.2, 5.0)
    assert (share * found).sum().item() == pytest.approx(1.0, rel=1e-4)
    assert found.min().item() >= 0.2 * 0.99
    assert found.max().item() <= 5.0 * 1.01


def test_state_goes_through_tensors() -> None:
    one, other = (factors(LanguageLossConfig(name="group_dro", options={"rate": 0.3})) for _ in range(2))
    one.update(sums((400.0, 100.0), (200.0, 200.0)))
    other.load_state(one.state())
    for found in (one, other):
        found.update(sums((100.0, 100.0), (300.0, 100.0)))
    assert one.at(2).tolist() == other.at(2).tolist()
    assert one.at(2).tolist() != [1.0, 1.0]
