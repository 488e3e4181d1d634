from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.trainer.regularisers.conftest import MakeMoment
from tests.trainer.steps.test_step import stepper
from trainer.config import DropoutConfig, RegulariserConfig, TrainConfig
from trainer.model.language_model import Inputs, Outputs
from trainer.regularisers.options import RDropOptions
from trainer.regularisers.rdrop import divergence, penalty

PASSES = {"passes": torch.tensor([5.0, 1.0, 0.0])}


def test_mean_of_both_divergences() -> None:
    one = torch.tensor([[0.5, 0.5], [0.5, 0.5]]).log()
    other = torch.tensor([[0.8, 0.2], [0.5, 0.5]]).log()
    forward = 0.5 * math.log(0.5 / 0.8) + 0.5 * math.log(0.5 / 0.2)
    backward = 0.8 * math.log(0.8 / 0.5) + 0.2 * math.log(0.2 / 0.5)
    assert divergence(one, other + 7).tolist() == pytest.approx([(forward + backward) / 2, 0.0], abs=1e-6)


def rows(languages: list[int]) -> Inputs:
    tokens = torch.zeros(len(languages), 2, dtype=torch.int64)
    select = torch.arange(0, 2 * len(languages), 2)
    return Inputs(tokens, tokens, tokens, torch.tensor(languages), tokens[:, 0].bool(), select)


def test_only_rows_of_repeated_languages_are_computed_twice(make_moment: MakeMoment) -> None:
    asked: list[list[int]] = []
    one = torch.tensor([[0.5, 0.5]]).log().repeat(3, 1).requires_grad_()
    second = torch.tensor([[0.8, 0.2]]).log().repeat(2, 1).requires_grad_()

    def again_on(chosen: Tensor) -> tuple[Outputs, Tensor]:
        asked.append(chosen.tolist())
        return Outputs(one, second), chosen

    def made(strengths: Tensor | None) -> float:
        moment = make_moment(
            None,
            batch=rows([0, 1, 0]),
            logits=one,
            labels=[0, 0, 0],
            languages=[0, 1, 0],
            evidence=PASSES,
            again_on=again_on,
            strengths=strengths,
        )
        result = penalty(moment, RDropOptions(after=2), {})
        assert result.metrics["rows"].item() == pytest.approx(2 / 3)
        result.value.backward()
        return result.value.item()

    each = divergence(one[:1], second[:1]).item()
    assert made(None) == pytest.approx(2 * each / 3)
    assert made(torch.tensor([3.0, 1.0, 1.0])) == pytest.approx(2 * each)
    assert asked == [[0, 2], [0, 2]]
    assert one.grad is not None
    assert second.grad is not None
    assert (one.grad[1] == 0).all()
    # d/dz of the symmetric divergence at the first logits: p_v * (log(p/q) - KL(p||q)) / 2 + (p_v - q_v) / 2.
    forward = 0.5 * math.log(0.5 / 0.8) + 0.5 * math.log(0.5 / 0.2)
    slope = 0.5 * (math.log(0.5 / 0.8) - forward) / 2 + (0.5 - 0.8) / 2
    assert one.grad[0, 0].item() == pytest.approx((1 + 3) * slope / 3)


def test_nothing_before_enough_passes(make_moment: MakeMoment) -> None:
    moment = make_moment(None, batch=rows([1, 2]), labels=[0, 0], languages=[1, 2], evidence=PASSES)
    result = penalty(moment, RDropOptions(after=2), {})
    assert result.value.item() == 0.0
    assert result.metrics["rows"].item() == 0.0


def test_in_a_step_with_dropout() -> None:
    entry = RegulariserConfig(name="rdrop", options={"after": 0})
    found = [
        stepper(penalties=(entry,), dropout=DropoutConfig(rate=rate), passes=passes)(0).penalties["rdrop"].value.item()
        for rate, passes in ((0.01, 8), (0.3, 8), (0.3, 3))
    ]
    assert 0 < found[0] < found[1] / 5
    assert found[2] == pytest.approx(found[1], rel=0.5)


def test_needs_something_left_out() -> None:
    with pytest.raises(ValueError, match=r"'rdrop' compares two passes .* set dropout\.rate, dropout\.growth or"):
        TrainConfig(regularisers=(RegulariserConfig(name="rdrop"),))
    TrainConfig(regularisers=(RegulariserConfig(name="rdrop"),), dropout=DropoutConfig(growth=0.1))
