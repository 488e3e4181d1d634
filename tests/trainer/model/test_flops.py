from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from trainer.config import ModelConfig
from trainer.model.flops import forward_cost, known_peak
from trainer.model.language_model import Inputs
from trainer.model.transformer import Transformer
from trainer.run.pace import Pace

CPU = torch.device("cpu")


def test_the_cost_of_a_small_model_by_hand() -> None:
    model = Transformer(ModelConfig(width=16, layers=2, heads=2), vocabulary=30, languages=3)
    cost = forward_cost(model, row_tokens=8)
    # Matrices of a block: 16 x 48, 16 x 16, 16 x 64 and 64 x 16 values; attention 4 x 16 x 8; adapter 4 x 16 x 4.
    assert cost.token == 2 * (2 * 3072 + 4 * 16 * 8 + 4 * 16 * 4)
    assert cost.prediction == 2 * 16 * 30
    assert cost.training(10, 3) == 3 * (10 * cost.token + 3 * 960)


@pytest.mark.parametrize("changes", [{}, {"adapter": 0}, {"feedforward": 40, "layers": 1, "norm_gains": True}])
def test_agrees_with_torch(changes: dict[str, Any]) -> None:
    model = Transformer(ModelConfig.model_validate({"width": 16, "layers": 2, "heads": 2, **changes}), 30, 3)
    rows, length, predicted = 4, 8, 20
    inputs = Inputs(
        tokens=torch.arange(rows * length).view(rows, length) % 30,
        segments=torch.zeros(rows, length, dtype=torch.int32),
        positions=torch.arange(length, dtype=torch.int32).repeat(rows, 1),
        languages=torch.tensor([0, 1, 2, 1]),
        bidirectional=torch.zeros(rows, dtype=torch.bool),
        select=torch.arange(predicted),
    )
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        torch.autograd.backward(model(inputs).logits.sum())
    assert counter.get_total_flops() == forward_cost(model, length).training(rows * length, predicted)


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA A100-PCIE-40GB", 312e12),
        ("NVIDIA L40S", 362e12),
        ("NVIDIA L4", 121e12),
        ("NVIDIA GeForce RTX 4090", 165.2e12),
        ("NVIDIA A10G", None),
        ("NVIDIA L40", None),
    ],
)
def test_peaks_of_devices(name: str, peak: float | None) -> None:
    assert known_peak(name) == peak


def test_a_lap_counts_operations_and_their_share_of_the_peak() -> None:
    model = Transformer(ModelConfig(width=16, layers=1, heads=2), vocabulary=30, languages=3)
    cost = forward_cost(model, row_tokens=8)
    pace = Pace(cost, 1e9, CPU, before=(100.0, 50.0))
    first = pace.lap(300.0, 150.0)
    assert first["flops_per_second"] == pytest.approx(
        cost.training(200, 100) / 200 * first["tokens_per_second"]  # type: ignore[operator]
    )
    assert first["mfu"] == first["flops_per_second"] / 1e9  # type: ignore[operator]
    assert first["peak_memory_bytes"] > 10_000_000  # type: ignore[operator]
    second = pace.lap(200.0, 100.0)
    assert second["flops_per_second"] == pytest.approx(
        cost.training(200, 100) / 200 * second["tokens_per_second"]  # type: ignore[operator]
    )
    assert "mfu" not in Pace(cost, None, CPU).lap(1.0, 1.0)
