from __future__ import annotations

from contextlib import suppress

import pytest
import torch
from torch import nn

from trainer.optimiser.average import WeightAverage


def model(value: float) -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(value)
    return layer


def test_mean_with_a_shorter_memory_at_first() -> None:
    layer = model(0.0)
    average = WeightAverage(layer, decay=0.15)
    for value in (1.0, 2.0):
        with torch.no_grad():
            layer.weight.fill_(value)
        average.update()
    # The first step keeps 1/10 of the mean, the second 0.15, as 2/11 is more.
    assert average.state()["weight"].item() == pytest.approx(0.15 * 0.9 + 0.85 * 2.0)


def test_applied_and_put_back() -> None:
    layer = model(0.0)
    average = WeightAverage(layer, decay=0.5)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    average.update()
    with average.applied():
        assert layer.weight.item() == pytest.approx(0.9)
    assert layer.weight.item() == 1.0
    assert average.state()["weight"].item() == pytest.approx(0.9)


def test_put_back_after_an_error() -> None:
    layer = model(0.0)
    average = WeightAverage(layer, decay=0.5)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    with suppress(ValueError), average.applied():
        raise ValueError
    assert layer.weight.item() == 1.0


def test_goes_on_from_a_state() -> None:
    first, second = WeightAverage(model(3.0), 0.9), WeightAverage(model(5.0), 0.9)
    first.update()
    second.load_state({name: value.clone() for name, value in first.state().items()})
    assert second.steps == 1
    assert second.state()["weight"].item() == 3.0
