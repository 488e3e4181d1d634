from __future__ import annotations

from pathlib import Path

import pytest
import torch

from corpus.errors import ConfigurationError, InputError
from trainer.config import ModelConfig
from trainer.continual.anchor import Anchor, read_anchor, write_anchor
from trainer.model.language_model import Inputs, Outputs
from trainer.model.transformer import Transformer
from trainer.regularisers.anchored import ewc, l2_sp
from trainer.regularisers.base import Evidence, Moment
from trainer.regularisers.options import EwcOptions, L2SpOptions

NOTHING = torch.zeros(0)
QKV = "blocks.0.qkv.weight"
TOKENS = "embedding.weight"


def model() -> Transformer:
    torch.manual_seed(0)
    return Transformer(ModelConfig(width=8, layers=1, heads=2), vocabulary=10, languages=3)


def moment(model: Transformer) -> Moment:
    batch = Inputs(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)
    outputs = Outputs(NOTHING, NOTHING)
    evidence = Evidence(torch.ones(3), torch.ones(3) / 3)
    return Moment(model, batch, outputs, NOTHING, NOTHING, NOTHING, evidence, lambda: outputs, 0, 1)


def test_without_a_file_the_first_weights_are_the_reference_and_remembered() -> None:
    changing = model()
    first = l2_sp(moment(changing), L2SpOptions(), {})
    assert first.value.item() == 0
    with torch.no_grad():
        changing.embedding.weight[3] += 0.5
    second = l2_sp(moment(changing), L2SpOptions(), first.memory)
    assert second.value.item() == pytest.approx(8 * 0.25 / 2)
    assert second.metrics["distance"].item() == pytest.approx(2**0.5)
    assert all(torch.equal(value, first.memory[name]) for name, value in second.memory.items())
    second.value.backward()
    assert changing.embedding.weight.grad is not None
    assert changing.embedding.weight.grad[3].tolist() == pytest.approx([0.5] * 8)
    assert not changing.embedding.weight.grad[:3].any()


def test_a_file_names_the_rows_that_are_held_and_frozen_parameters_are_left_out(tmp_path: Path) -> None:
    changing = model()
    rows = torch.tensor([0, 2])
    anchor = Anchor(
        {TOKENS: changing.embedding.weight[rows].detach().clone(), QKV: torch.zeros(24, 8)}, {TOKENS: rows}, {}
    )
    digest = write_anchor(tmp_path / "anchor.safetensors", anchor)
    changing.get_parameter(QKV).requires_grad_(False)
    with torch.no_grad():
        changing.embedding.weight[:3] += 0.5
    options = L2SpOptions(reference=str(tmp_path / "anchor.safetensors"), hash=digest)
    found = l2_sp(moment(changing), options, {})
    assert found.value.item() == pytest.approx(2 * 8 * 0.25 / 2)
    assert found.memory == {}


def test_ewc_weighs_each_distance_by_its_fisher_information(tmp_path: Path) -> None:
    changing = model()
    start = changing.get_parameter(QKV).detach().clone()
    fisher = torch.zeros(24, 8)
    fisher[0, 0], fisher[1, 1] = 2.0, 3.0
    digest = write_anchor(tmp_path / "a.safetensors", Anchor({QKV: start}, {}, {QKV: fisher}))
    with torch.no_grad():
        changing.get_parameter(QKV).add_(0.1)
    found = ewc(moment(changing), EwcOptions(reference=str(tmp_path / "a.safetensors"), hash=digest), {})
    assert found.value.item() == pytest.approx(0.01 * (2 + 3) / 2)
    assert found.metrics["distance"].item() == pytest.approx(0.1 * (24 * 8) ** 0.5, rel=1e-5)


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    path = str(tmp_path / "anchor.safetensors")
    with pytest.raises(InputError, match="cannot be read"):
        read_anchor(path, None, torch.device("cpu"))
    write_anchor(Path(path), Anchor({QKV: torch.zeros(24, 8)}, {}, {}))
    with pytest.raises(InputError, match="have changed since the run began"):
        read_anchor(path, "0" * 32, torch.device("cpu"))
    with pytest.raises(ConfigurationError, match="holds no Fisher information"):
        ewc(moment(model()), EwcOptions(reference=path), {})
