from __future__ import annotations

import torch

from trainer.config import ModelConfig, OptimiserConfig
from trainer.model.transformer import Transformer
from trainer.optimiser.build import Optimiser, make_optimiser
from trainer.optimiser.own_rows import KeptRows, RowRates, own_parameters

OWN = {
    "blocks.0.adapter.down",
    "blocks.0.adapter.up",
    "blocks.0.adapter.gate_bias",
    "blocks.0.attention_norm.own",
    "blocks.0.feedforward_norm.own",
}


def make() -> tuple[Transformer, Optimiser]:
    torch.manual_seed(0)
    model = Transformer(ModelConfig(width=8, layers=1, heads=2, gate="static", norm_gains=True), 10, 3)
    return model, make_optimiser(model, OptimiserConfig(), 0.1)


def move(model: Transformer, optimiser: Optimiser, steps: int) -> None:
    for step in range(steps):
        optimiser.zero_grad()
        loss = torch.stack([(value * (step + 1)).sin().sum() for value in model.parameters()]).sum()
        torch.autograd.backward(loss)
        optimiser.step()


def test_finds_what_each_language_has_of_its_own() -> None:
    assert set(own_parameters(make()[0])) == OWN


def test_rows_go_a_share_of_the_way_and_full_rates_change_nothing() -> None:
    plain, slow, held = make(), make(), make()
    for (model, optimiser), rates in ((slow, [1.0, 0.25, 1.0]), (held, [1.0, 1.0, 0.0])):
        RowRates(model, optimiser, 3).set(rates)
    start = {name: value.clone() for name, value in plain[0].state_dict().items()}
    for model, optimiser in (plain, slow, held):
        move(model, optimiser, 1)
    for name, value in plain[0].state_dict().items():
        rows = name in OWN
        for row, (other, share) in [(1, (slow, 0.25)), (2, (held, 0.0))]:
            found = other[0].state_dict()[name]
            if rows:
                expected = start[name][row] + share * (value[row] - start[name][row])
                torch.testing.assert_close(found[row], expected)
                assert torch.equal(found[0], value[0]), name
            else:
                assert torch.equal(found, value), name
    move(held[0], held[1], 3)
    for name in OWN:
        assert torch.equal(held[0].state_dict()[name][2], start[name][2])


def test_kept_rows_are_put_back_by_language() -> None:
    model, optimiser = make()
    kept = KeptRows(model, 3)
    move(model, optimiser, 1)
    first = {name: value.clone() for name, value in model.state_dict().items()}
    kept.take([1])
    move(model, optimiser, 1)
    last = {name: value.clone() for name, value in model.state_dict().items()}

    other = KeptRows(make()[0], 3)
    other.load_state({name: value.clone() for name, value in kept.state().items()})
    assert all(torch.equal(other.state()[name], kept.state()[name]) for name in OWN)

    kept.exchange([1])
    for name, value in model.state_dict().items():
        if name in OWN:
            assert torch.equal(value[1], first[name][1])
            assert torch.equal(value[[0, 2]], last[name][[0, 2]])
        else:
            assert torch.equal(value, last[name])
    kept.exchange([1])
    assert all(torch.equal(value, last[name]) for name, value in model.state_dict().items())
