from __future__ import annotations

import math

import pytest
import torch

from tests.trainer.regularisers.conftest import MakeMoment
from trainer.config import ModelConfig, RegulariserConfig, TrainConfig
from trainer.model.transformer import Transformer
from trainer.regularisers.gates import penalty
from trainer.regularisers.options import GateOptions


def gated(*openings: tuple[float, ...]) -> Transformer:
    """Adapters whose gates are so far open, for each block and language."""
    config = ModelConfig(width=8, layers=len(openings), heads=2, adapter=4, gate="static")
    model = Transformer(config, vocabulary=10, languages=3)
    with torch.no_grad():
        for adapter, values in zip(model.adapters(), openings, strict=True):
            assert adapter.gate_bias is not None
            adapter.gate_bias.copy_(torch.tensor([math.log(value / (1 - value)) for value in values]))
    return model


def test_mean_opening_by_share(make_moment: MakeMoment) -> None:
    model = gated((0.8, 0.04, 0.5), (0.4, 0.02, 0.5))
    result = penalty(make_moment(model, share=(0.75, 0.25, 0.0)), GateOptions(closed_below=0.05), {})
    assert result.value.item() == pytest.approx(0.75 * 0.6 + 0.25 * 0.03)
    assert result.metrics["closed"].item() == pytest.approx(2 / 4)
    result.value.backward()
    bias = model.adapters()[0].gate_bias
    assert bias is not None
    assert bias.grad is not None
    # share / 2 blocks * opening * (1 - opening)
    assert bias.grad.tolist() == pytest.approx([0.375 * 0.16, 0.125 * 0.04 * 0.96, 0.0])


def test_strength_of_each_language(make_moment: MakeMoment) -> None:
    moment = make_moment(gated((0.5, 0.5, 0.5)), share=(0.5, 0.5, 0.0), strengths=torch.tensor([1.0, 3.0, 9.0]))
    assert penalty(moment, GateOptions(), {}).value.item() == pytest.approx(0.5 * (0.5 + 1.5))


def test_a_model_without_gates_is_refused(make_moment: MakeMoment, model: Transformer) -> None:
    with pytest.raises(ValueError, match=r"'gates' acts on gates, .* set model\.gate to static or input"):
        TrainConfig(regularisers=(RegulariserConfig(name="gates"),))
    TrainConfig(regularisers=(RegulariserConfig(name="gates"),), model=ModelConfig(gate="input"))
    assert penalty(make_moment(model), GateOptions(), {}).value.item() == 0.0
