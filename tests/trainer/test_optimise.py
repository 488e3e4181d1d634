from __future__ import annotations

import pytest
import torch

from trainer.config import ModelConfig, OptimiserConfig
from trainer.model import Transformer
from trainer.optimise import (
    clip,
    load_optimiser_tensors,
    make_optimiser,
    optimiser_tensors,
    set_decay,
    set_learning_rate,
)


def decayed(model: Transformer) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad and model.decays(name)}


def make() -> Transformer:
    torch.manual_seed(0)
    return Transformer(ModelConfig(width=8, layers=1, heads=2), vocabulary=10, languages=2)


def move(model: Transformer, optimiser: torch.optim.Optimizer, steps: int) -> None:
    for step in range(steps):
        optimiser.zero_grad()
        sum((parameter * (step + 1)).sin().sum() for parameter in model.parameters()).backward()  # type: ignore[union-attr]
        optimiser.step()


def test_only_the_core_matrices_decay() -> None:
    assert decayed(make()) == {
        "blocks.0.qkv.weight",
        "blocks.0.attention_out.weight",
        "blocks.0.feedforward_in.weight",
        "blocks.0.feedforward_out.weight",
    }


def test_state_goes_round_as_tensors() -> None:
    config = OptimiserConfig(weight_decay=0.1)
    first = make()
    optimiser = make_optimiser(first, config, 1e-2)
    move(first, optimiser, 3)
    saved = {name: value.clone() for name, value in optimiser_tensors(first, optimiser).items()}
    weights = {name: value.clone() for name, value in first.state_dict().items()}
    assert "blocks.0.qkv.weight:exp_avg_sq" in saved
    move(first, optimiser, 2)

    second = make()
    second.load_state_dict(weights)
    resumed = make_optimiser(second, config, 1e-2)
    load_optimiser_tensors(second, resumed, saved)
    move(second, resumed, 2)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def rates(optimiser: torch.optim.Optimizer, model: Transformer) -> dict[str, tuple[float, float]]:
    """Learning rate and decay of each parameter, by name."""
    found = {id(p): (group["lr"], group["weight_decay"]) for group in optimiser.param_groups for p in group["params"]}
    return {name: found[id(p)] for name, p in model.named_parameters() if p.requires_grad}


def test_learning_rate_reaches_all_groups_and_decay_those_that_have_any() -> None:
    model = make()
    optimiser = make_optimiser(model, OptimiserConfig(), 1.0)
    set_learning_rate(optimiser, 0.25)
    assert {rate for rate, _ in rates(optimiser, model).values()} == {0.25}
    assert rates(optimiser, model)["blocks.0.qkv.weight"] == (0.25, 0.1)
    set_decay(optimiser, 0.3)
    assert rates(optimiser, model)["blocks.0.qkv.weight"] == (0.25, 0.3)
    assert rates(optimiser, model)["embedding.weight"] == (0.25, 0.0)


def test_layer_wise_rates_fall_towards_the_embeddings() -> None:
    model = Transformer(ModelConfig(width=8, layers=2, heads=2), vocabulary=10, languages=2)
    optimiser = make_optimiser(model, OptimiserConfig(layer_decay=0.5), 1.0)
    set_learning_rate(optimiser, 0.8)
    found = {name: rate for name, (rate, _) in rates(optimiser, model).items()}
    assert found["final_norm.weight"] == 0.8
    assert found["blocks.1.qkv.weight"] == 0.8
    assert found["blocks.0.adapter.up"] == 0.4
    assert found["embedding.weight"] == found["embedding_norm.weight"] == pytest.approx(0.2)


def test_gains_of_languages_do_not_decay() -> None:
    model = Transformer(ModelConfig(width=8, layers=1, heads=2, norm_gains=True), vocabulary=10, languages=2)
    assert "blocks.0.attention_norm.own" in dict(model.named_parameters())
    assert decayed(model) == decayed(make())


def test_clip_gives_the_norm_before_it() -> None:
    model = torch.nn.Linear(2, 1, bias=False)
    model.weight.grad = torch.tensor([[3.0, 4.0]])
    assert clip(model, None).item() == pytest.approx(5.0)
    assert clip(model, 1.0).item() == pytest.approx(5.0)
    assert model.weight.grad.norm().item() == pytest.approx(1.0, rel=1e-4)
    model.weight.grad[0, 0] = float("nan")
    assert not torch.isfinite(clip(model, 1.0))
