from __future__ import annotations

from typing import Literal

import pytest
import torch

from trainer.config import ModelConfig, MuonConfig, OptimiserConfig
from trainer.model.transformer import Transformer
from trainer.optimiser.build import (
    Optimiser,
    clip,
    grow_decay,
    load_optimiser_tensors,
    make_optimiser,
    optimiser_tensors,
    set_learning_rate,
)


def decayed(model: Transformer) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad and model.decays(name)}


def make() -> Transformer:
    torch.manual_seed(0)
    return Transformer(ModelConfig(width=8, layers=1, heads=2), vocabulary=10, languages=2)


def move(model: Transformer, optimiser: Optimiser, steps: int) -> None:
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


@pytest.mark.parametrize(("kind", "remembered"), [("adamw", "exp_avg_sq"), ("muon", "momentum_buffer")])
def test_state_goes_round_as_tensors(kind: Literal["adamw", "muon"], remembered: str) -> None:
    config = OptimiserConfig(kind=kind, weight_decay=0.1)
    first = make()
    optimiser = make_optimiser(first, config, 1e-2)
    move(first, optimiser, 3)
    saved = {name: value.clone() for name, value in optimiser_tensors(first, optimiser).items()}
    weights = {name: value.clone() for name, value in first.state_dict().items()}
    assert f"blocks.0.qkv.weight:{remembered}" in saved
    assert "blocks.0.adapter.up:exp_avg_sq" in saved
    move(first, optimiser, 2)

    second = make()
    second.load_state_dict(weights)
    resumed = make_optimiser(second, config, 1e-2)
    load_optimiser_tensors(second, resumed, saved)
    move(second, resumed, 2)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def rates(optimiser: Optimiser, model: Transformer) -> dict[str, tuple[float, float]]:
    """Learning rate and decay of each parameter, by name."""
    found = {id(p): (group["lr"], group["weight_decay"]) for group in optimiser.param_groups for p in group["params"]}
    return {name: found[id(p)] for name, p in model.named_parameters() if p.requires_grad}


def test_learning_rate_reaches_all_groups_and_decay_those_that_have_any() -> None:
    model = make()
    optimiser = make_optimiser(model, OptimiserConfig(), 1.0)
    set_learning_rate(optimiser, 0.25)
    assert {rate for rate, _ in rates(optimiser, model).values()} == {0.25}
    assert rates(optimiser, model)["blocks.0.qkv.weight"] == (0.25, 0.1)
    grow_decay(optimiser, 3.0)
    assert rates(optimiser, model)["blocks.0.qkv.weight"] == pytest.approx((0.25, 0.3))
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


MATRICES = {
    "blocks.0.qkv.weight",
    "blocks.0.attention_out.weight",
    "blocks.0.feedforward_in.weight",
    "blocks.0.feedforward_out.weight",
}


def test_muon_moves_the_matrices_of_the_core_and_adamw_the_rest() -> None:
    model = make()
    optimiser = make_optimiser(model, OptimiserConfig(kind="muon"), 1.0)
    adamw, muon = optimiser.parts
    assert (type(adamw), type(muon)) == (torch.optim.AdamW, torch.optim.Muon)
    moved = {id(p) for group in muon.param_groups for p in group["params"]}
    assert {name for name, p in model.named_parameters() if id(p) in moved} == MATRICES
    assert {group["adjust_lr_fn"] for group in muon.param_groups} == {"match_rms_adamw"}


def test_muon_has_rates_and_decay_of_its_own_which_follow_schedule_growth_and_depth() -> None:
    model = Transformer(ModelConfig(width=8, layers=2, heads=2), vocabulary=10, languages=2)
    own = MuonConfig(learning_rate=0.05, weight_decay=0.02)
    optimiser = make_optimiser(model, OptimiserConfig(kind="muon", muon=own, layer_decay=0.5), 0.01)
    set_learning_rate(optimiser, 0.005)
    grow_decay(optimiser, 3.0)
    found = rates(optimiser, model)
    assert found["blocks.1.qkv.weight"] == pytest.approx((0.025, 0.06))
    assert found["blocks.0.qkv.weight"] == pytest.approx((0.0125, 0.06))
    assert found["blocks.1.adapter.up"] == pytest.approx((0.005, 0.0))
    assert found["embedding.weight"] == pytest.approx((0.00125, 0.0))


def test_a_step_of_muon_brings_singular_values_together() -> None:
    # Each Newton-Schulz iteration takes a singular value s to 3.4445 s - 4.775 s^3 + 2.0315 s^5. From an identity's,
    # 1 / sqrt(2) after normalisation, five of them lead to 1.1081; the size of a 24 x 8 update is 0.2 * sqrt(24) of it.
    model = make()
    first = model.get_parameter("blocks.0.qkv.weight")
    optimiser = make_optimiser(model, OptimiserConfig(kind="muon", muon=MuonConfig(weight_decay=0.0)), 0.1)
    set_learning_rate(optimiser, 0.1)
    before = first.detach().clone()
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    assert first.grad is not None
    first.grad[:2, :2] = 7 * torch.eye(2)
    optimiser.step()
    update = (before - first.detach()) / 0.1
    expected = torch.zeros(24, 8)
    expected[:2, :2] = 0.2 * 24**0.5 * 1.1081 * torch.eye(2)
    torch.testing.assert_close(update, expected, atol=0.01, rtol=0.01)


def test_clip_gives_the_norm_before_it() -> None:
    model = torch.nn.Linear(2, 1, bias=False)
    model.weight.grad = torch.tensor([[3.0, 4.0]])
    assert clip(model, None).item() == pytest.approx(5.0)
    assert clip(model, 1.0).item() == pytest.approx(5.0)
    assert model.weight.grad.norm().item() == pytest.approx(1.0, rel=1e-4)
    model.weight.grad[0, 0] = float("nan")
    assert not torch.isfinite(clip(model, 1.0))
