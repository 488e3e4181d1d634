from __future__ import annotations

import pytest
import torch

from trainer.config import ModelConfig
from trainer.distributed import World
from trainer.model.transformer import Transformer
from trainer.run.paths import path_figures

ALONE = World(0, 1, torch.device("cpu"))


def test_figures_of_adapters_and_gates_by_language() -> None:
    model = Transformer(ModelConfig(width=8, layers=2, heads=2, adapter=2, gate="static"), 10, 2)
    with torch.no_grad():
        for adapter in model.adapters():
            adapter.prior.zero_()
            adapter.down.zero_()
            adapter.up.zero_()
        first, second = model.adapters()
        first.up[1, 0, 0] = 3.0
        second.down[1, 0, 0] = 4.0
        assert first.gate_bias is not None
        first.gate_bias[0] = 0.0
    found = path_figures(model, ["a", "b"], ALONE)
    assert found["adapters"]["a"] == {"norm": 0.0, "deviation": 0.0}
    # The prior variances are 1 / 8 for projections down from 8 values and 1 / 2 for those up from 2.
    assert found["adapters"]["b"] == pytest.approx({"norm": 5.0, "deviation": 9 * 2 + 16 * 8})
    assert found["gates"]["a"] == pytest.approx({"block_0": 0.5, "block_1": 0.9526}, abs=1e-4)
    assert found["gates"]["b"] == pytest.approx({"block_0": 0.9526, "block_1": 0.9526}, abs=1e-4)


def test_a_model_without_adapters_or_gates_has_no_such_figures() -> None:
    plain = Transformer(ModelConfig(width=8, layers=1, heads=2, adapter=0), 10, 2)
    assert path_figures(plain, ["a", "b"], ALONE) == {}
    open_paths = Transformer(ModelConfig(width=8, layers=1, heads=2), 10, 2)
    assert set(path_figures(open_paths, ["a", "b"], ALONE)) == {"adapters"}
