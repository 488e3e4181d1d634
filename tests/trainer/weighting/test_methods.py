"""The methods on literal losses; expected numbers worked out by hand."""

from __future__ import annotations

from math import exp

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigurationError
from trainer import weighting
from trainer.weighting.base import LanguageLosses, Weighting


def losses(excess: list[float], share: list[float], tokens: float = 100.0) -> LanguageLosses:
    count = len(excess)
    return LanguageLosses(
        torch.tensor(excess), torch.tensor(share), torch.ones(count, dtype=torch.bool), torch.full((count,), tokens)
    )


def weigh(
    name: str, given_losses: LanguageLosses, memory: dict[str, torch.Tensor] | None = None, **options: float
) -> Weighting:
    return weighting.load(name)(given_losses, weighting.check(name, options), memory or {})


def test_group_dro_ascends_by_the_loss_above_the_mean() -> None:
    first = weigh("group_dro", losses([3.0, 1.0], [0.25, 0.75]), rate=0.1)
    assert first.memory["log_ratio"].tolist() == pytest.approx([0.15, -0.05])
    assert first.target.tolist() == pytest.approx([0.25 * exp(0.15), 0.75 * exp(-0.05)])
    second = weigh("group_dro", losses([3.0, 1.0], [0.25, 0.75]), dict(first.memory), rate=0.1)
    assert second.memory["log_ratio"].tolist() == pytest.approx([0.3, -0.1])


def test_group_dro_adjusts_for_the_size_of_the_group() -> None:
    found = LanguageLosses(
        torch.tensor([1.0, 1.0]), torch.tensor([0.5, 0.5]), torch.tensor([True, True]), torch.tensor([100.0, 10_000.0])
    )
    # 1 / sqrt(100) - 1 / sqrt(10,000) = 0.09, half of it above the mean.
    result = weigh("group_dro", found, rate=1.0, adjustment=1.0)
    assert result.memory["log_ratio"].tolist() == pytest.approx([0.045, -0.045], rel=1e-4)


def test_group_dro_leaves_a_language_alone_that_was_not_seen() -> None:
    found = losses([3.0, 1.0, 0.0], [0.5, 0.5, 0.0])._replace(seen=torch.tensor([True, True, False]))
    assert weigh("group_dro", found, rate=0.1).memory["log_ratio"].tolist() == pytest.approx([0.1, -0.1, 0.0])


def test_chi_square_is_on_the_edge_of_its_ball() -> None:
    # While no language is left out, q / p = 1 + sqrt(2 * radius) * (loss - mean) / deviation.
    result = weigh("chi_square", losses([3.0, 1.0], [0.5, 0.5]), radius=0.125)
    assert result.target.tolist() == pytest.approx([0.75, 0.25], abs=1e-3)


def test_chi_square_leaves_out_the_best_languages_where_the_ball_is_large() -> None:
    result = weigh("chi_square", losses([3.0, 1.0, 0.9], [0.5, 0.25, 0.25]), radius=0.5)
    assert result.target.tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-3)


def test_chi_square_of_equal_losses_is_the_shares() -> None:
    result = weigh("chi_square", losses([2.0, 2.0], [0.3, 0.7]), radius=0.5)
    assert result.target.tolist() == pytest.approx([0.3, 0.7], abs=1e-4)


def test_cvar_takes_the_worst_tokens() -> None:
    found = losses([1.0, 3.0, 2.0], [0.5, 0.2, 0.3])
    # The worst 40 %: all of the second language, and 0.2 of the third's 0.3.
    assert weigh("cvar", found, level=0.4).target.tolist() == pytest.approx([0.0, 0.5, 0.5])
    assert weigh("cvar", found, level=1.0).target.tolist() == pytest.approx([0.5, 0.2, 0.3])


def test_focal_weighs_by_what_is_left_to_learn() -> None:
    found = losses([4.0, 1.0], [1 / 3, 2 / 3])  # the mean is 2
    assert weigh("focal", found, power=1.0).target.tolist() == pytest.approx([2 / 3, 1 / 3])
    assert weigh("focal", found, power=0.0).target.tolist() == pytest.approx([1 / 3, 2 / 3])
    below = weigh("focal", losses([-1.0, 2.0], [0.5, 0.5]), power=1.0)
    assert below.target.tolist() == pytest.approx([0.0005, 1.0], rel=1e-3)


def test_tempered_takes_from_the_major_language() -> None:
    assert weigh("tempered", losses([1.0, 1.0], [0.81, 0.01]), power=0.5).target.tolist() == pytest.approx([0.9, 0.1])


@given(
    name=st.sampled_from(weighting.names()),
    excess=st.lists(st.floats(-5, 10, width=32), min_size=1, max_size=8),
    data=st.data(),
)
def test_targets_are_finite_and_never_negative(name: str, excess: list[float], data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.integers(1, 1000), min_size=len(excess), max_size=len(excess)))
    target = weigh(name, losses(excess, [part / sum(parts) for part in parts])).target
    assert bool(torch.isfinite(target).all())
    assert bool((target >= 0).all())
    assert target.sum().item() > 0


def test_unknown_names_and_options() -> None:
    with pytest.raises(ConfigurationError, match=r"no language loss 'group_dor'\. Did you mean 'group_dro'"):
        weighting.check("group_dor", {})
    with pytest.raises(ConfigurationError, match="option 'level' of language loss 'cvar'"):
        weighting.check("cvar", {"level": 0})
