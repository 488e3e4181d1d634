from __future__ import annotations

import pytest
import torch

from tests.trainer.regularisers.conftest import MakeMoment
from trainer.regularisers.options import VRExOptions
from trainer.regularisers.vrex import penalty, variance

NOT_MET = float("nan")


def test_variance_and_its_slope() -> None:
    value, slope, gap = variance(torch.tensor([1.0, 2.0, NOT_MET, 6.0]), "both")
    # mean 3: deviations -2, -1, 3
    assert value.item() == pytest.approx(14 / 3)
    assert slope.tolist() == pytest.approx([-4 / 3, -2 / 3, 0.0, 2.0])
    assert gap.item() == pytest.approx(3.0)


def test_upper_half() -> None:
    value, slope, gap = variance(torch.tensor([1.0, 2.0, NOT_MET, 6.0]), "upper")
    assert value.item() == pytest.approx(3.0)
    # 2/3 * 3 for the language above the mean, less a third of it for the mean's own move in each.
    assert slope.tolist() == pytest.approx([-2 / 3, -2 / 3, 0.0, 4 / 3])
    assert gap.item() == pytest.approx(3.0)


@pytest.mark.parametrize("sides", ["both", "upper"])
def test_slope_is_the_derivative(sides: str) -> None:
    risks = torch.tensor([0.5, 2.0, 2.5, 0.1], dtype=torch.float64, requires_grad=True)
    value, slope, _ = variance(risks, sides)
    value.backward()
    assert risks.grad is not None
    torch.testing.assert_close(slope, risks.grad)


def test_nobody_met_yet() -> None:
    value, slope, gap = variance(torch.full((3,), NOT_MET), "both")
    assert (value.item(), slope.tolist(), gap.item()) == (0.0, [0.0, 0.0, 0.0], 0.0)


def test_gradient_is_a_factor_of_each_languages_tokens(make_moment: MakeMoment) -> None:
    losses = torch.tensor([4.0, 5.0, 9.0, 8.0], requires_grad=True)
    evidence = {"recent": torch.tensor([1.0, 2.0, 6.0]), "recent_share": torch.tensor([0.5, 0.25, 0.25])}
    moment = make_moment(None, losses=losses, labels=[0] * 4, languages=[0, 0, 1, 2], evidence=evidence)
    result = penalty(moment, VRExOptions(sides="both", cap=100), {})
    assert result.value.item() == pytest.approx(14 / 3)
    assert result.metrics["gap"].item() == pytest.approx(3.0)
    result.value.backward()
    assert losses.grad is not None
    # The slopes -4/3, -2/3 and 2 over the shares, over four tokens.
    assert losses.grad.tolist() == pytest.approx([-2 / 3, -2 / 3, -2 / 3, 2.0])
    losses.grad = None
    penalty(moment, VRExOptions(sides="both", cap=3), {}).value.backward()
    assert losses.grad.tolist() == pytest.approx([-2 / 3, -2 / 3, -2 / 3, 0.75])
