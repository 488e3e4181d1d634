from __future__ import annotations

import pytest
import torch

from trainer.config import ModelConfig
from trainer.model.transformer import Inputs, Outputs, Transformer
from trainer.regularisers.base import Evidence, Moment
from trainer.regularisers.deviation import penalty
from trainer.regularisers.options import DeviationOptions

NOTHING = torch.zeros(0)


def moment(model: Transformer, evidence: Evidence) -> Moment:
    """A pass of which nothing but the model and the evidence matters."""
    batch = Inputs(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)
    outputs = Outputs(NOTHING, NOTHING)
    return Moment(model, batch, outputs, NOTHING, NOTHING, NOTHING, evidence, lambda: outputs, 0, 1)


def model(adapter: int = 4) -> Transformer:
    torch.manual_seed(0)
    return Transformer(ModelConfig(width=8, layers=2, heads=2, adapter=adapter), vocabulary=10, languages=3)


def evidence(tokens: list[float], share: list[float]) -> Evidence:
    return Evidence(torch.tensor(tokens), torch.tensor(share))


def test_divergence_over_the_tokens_of_the_language_weighted_by_its_share() -> None:
    changed = model()
    with torch.no_grad():
        for adapter in changed.adapters():  # 4 * 8 weights of variance 1/4 in each of two layers
            adapter.up[0] += 0.1
            adapter.up[1] += 0.1
    kl = 2 * 32 * 0.01 * 4 / 2
    result = penalty(moment(changed, evidence([100, 10_000, 5], [0.75, 0.25, 0.0])), DeviationOptions(), {})
    assert result.value.item() == pytest.approx(kl * (0.75 / 100 + 0.25 / 10_000))
    assert result.metrics["kl"].item() == pytest.approx(kl)


def test_the_smaller_language_is_held_more_firmly() -> None:
    changed = model()
    with torch.no_grad():
        for adapter in changed.adapters():
            adapter.up += 0.1
    result = penalty(moment(changed, evidence([10, 1000, 1000], [1 / 3] * 3)), DeviationOptions(), {})
    result.value.backward()
    grad = changed.adapters()[0].up.grad
    assert grad is not None
    assert (grad[0] / grad[1]).flatten().tolist() == pytest.approx([100.0] * 32, rel=1e-5)
    assert torch.equal(grad[1], grad[2])
    assert (grad > 0).all()  # downhill is back to the start


def test_power_zero_ignores_the_amount_of_data() -> None:
    changed = model()
    with torch.no_grad():
        for adapter in changed.adapters():
            adapter.up += 0.1
    values = [
        penalty(moment(changed, evidence([n] * 3, [1 / 3] * 3)), DeviationOptions(power=0), {}).value.item()
        for n in (10.0, 1000.0)
    ]
    assert values[0] == pytest.approx(values[1])


def test_nothing_to_penalise_at_the_start_or_without_adapters() -> None:
    for start in (model(), model(adapter=0)):
        result = penalty(moment(start, evidence([10, 10, 10], [1.0, 0.0, 0.0])), DeviationOptions(), {})
        assert result.value.item() == 0.0
