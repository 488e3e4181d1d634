from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from corpus.errors import ConfigurationError, InputError
from corpus.hashing import file_hash
from sampler.config import SamplerConfig
from trainer.build import build_model
from trainer.config import OptimiserConfig, TrainConfig
from trainer.config.continual import ContinualConfig
from trainer.continual.hold import begin, slow
from trainer.loop import train
from trainer.model.language_model import LanguageModel
from trainer.optimiser.build import make_optimiser
from trainer.optimiser.own_rows import language_rows
from trainer.run.outcome import Summary

LANGUAGES = ["eng_Latn", "swh_Latn", "zul_Latn"]
MODEL = {"width": 8, "layers": 2, "heads": 2, "gate": "static", "norm_gains": True}


def grown(folder: Path, vocabulary: int = 23, **changes: Any) -> tuple[LanguageModel, ContinualConfig]:
    """A model of two old languages with 20 tokens and of a new one, and a file with its weights."""
    torch.manual_seed(0)
    settings = TrainConfig.model_validate({"model": {**MODEL, **changes.pop("model", {})}})
    model = build_model(settings.model, vocabulary, 3)
    folder.mkdir(exist_ok=True)
    save_file(model.state_dict(), folder / "start.safetensors")
    return model, ContinualConfig(
        hash=file_hash(folder / "start.safetensors"), old=("eng_Latn", "swh_Latn"), old_vocabulary=20, **changes
    )


def moved(folder: Path, **changes: Any) -> dict[str, torch.Tensor]:
    """How far each parameter goes in one step of AdamW at rate 1 with gradients of 1 everywhere; unmoved ones left out.

    Such a step is of the size of the rate, whatever the gradient.
    """
    model, config = grown(folder, **changes)
    held = begin(model, config, LANGUAGES, folder)
    optimiser = make_optimiser(model, OptimiserConfig(weight_decay=0), 1.0)
    slow(model, optimiser, held)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    for group in optimiser.param_groups:
        group["lr"] = group["scale"]
    sum(parameter.sum() for parameter in model.parameters() if parameter.requires_grad).backward()
    optimiser.step()
    found = {name: (before[name] - value.detach()) for name, value in model.named_parameters()}
    return {name: value for name, value in found.items() if bool(value.any())}


def per_row(value: torch.Tensor) -> list[float]:
    return [round(row.mean().item(), 4) for row in value]


def test_frozen_moves_the_new_languages_rows_and_the_new_token_rows_alone(tmp_path: Path) -> None:
    found = moved(tmp_path)
    model, _ = grown(tmp_path)
    assert set(found) == language_rows(model) | {"embedding.weight"}
    for name in language_rows(model):
        assert per_row(found[name]) == [0, 0, 1], name
    assert per_row(found["embedding.weight"]) == [0] * 20 + [1] * 3


def test_without_new_token_rows_the_embedding_has_no_gradient_at_all(tmp_path: Path) -> None:
    model, config = grown(tmp_path, 20)
    begin(model, config, LANGUAGES, tmp_path)
    assert not model.embedding.weight.requires_grad


def test_open_moves_the_core_and_the_old_tokens_at_their_rate(tmp_path: Path) -> None:
    found = moved(tmp_path, mode="open", rate=0.25)
    assert found["blocks.0.qkv.weight"].mean().item() == pytest.approx(0.25)
    assert found["final_norm.weight"].mean().item() == pytest.approx(0.25)
    assert per_row(found["embedding.weight"]) == [0.25] * 20 + [1] * 3
    assert per_row(found["blocks.1.adapter.up"]) == [0, 0, 1]


def test_open_blocks_leave_the_others_and_the_embedding_where_they_are(tmp_path: Path) -> None:
    found = moved(tmp_path, mode="open", rate=0.5, blocks=(1,), adapters=True)
    assert "blocks.0.qkv.weight" not in found
    assert found["blocks.1.qkv.weight"].mean().item() == pytest.approx(0.5)
    assert per_row(found["embedding.weight"]) == [0] * 20 + [1] * 3
    assert per_row(found["blocks.0.adapter.up"]) == [0.5, 0.5, 1]


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    model, config = grown(tmp_path, 20, model={"adapter": 0, "norm_gains": False})
    with pytest.raises(ConfigurationError, match="nothing would move"):
        begin(model, config, LANGUAGES, tmp_path)
    model, config = grown(tmp_path, mode="open", blocks=(2,))
    with pytest.raises(ConfigurationError, match="names block 2, the model has 2"):
        begin(model, config, LANGUAGES, tmp_path)
    with pytest.raises(ConfigurationError, match="names swh_Latn"):
        begin(model, config, ["eng_Latn", "zul_Latn", "fin_Latn"], tmp_path)
    (tmp_path / "start.safetensors").write_bytes(b"other")
    with pytest.raises(InputError, match="has changed since the run began"):
        begin(model, config, LANGUAGES, tmp_path)


SETTINGS: dict[str, Any] = {
    "steps": 12,
    "rows": 4,
    "threads": 1,
    "model": {"width": 16, "layers": 2, "heads": 2, "gate": "input"},
    "average": {"decay": 0.5},
    "optimiser": {"weight_decay": 1.0},
    "log": {"every": 4, "tensorboard": False},
    "checkpoint": {"every": 5},
    "heldout": {"every": 6, "rows": 2},
}


def go_on(corpus: str, folder: Path, stop_after: int | None = None, **continual: Any) -> Summary:
    """Train Swahili into a model of English and Greek with random weights."""
    torch.manual_seed(3)
    weights = folder / "start.safetensors"
    if not weights.exists():
        folder.mkdir(exist_ok=True)
        model = build_model(TrainConfig.model_validate(SETTINGS).model, 261, 3)
        save_file(model.state_dict(), weights)
    known = {"hash": file_hash(weights), "old": ["ell_Grek", "eng_Latn"], "old_vocabulary": 261, **continual}
    return train(
        corpus,
        str(folder),
        TrainConfig.model_validate({**SETTINGS, "continual": known}),
        SamplerConfig.model_validate({"row_tokens": 32, "block_rows": 8, "mixture": {"swh_Latn": 1.0}}),
        tokenizer="bytes",
        seed=0,
        stop_after=stop_after,
    )


def test_a_frozen_run_leaves_the_old_languages_as_they_were_to_the_bit(tiny_corpus: str, tmp_path: Path) -> None:
    go_on(tiny_corpus, tmp_path)
    before = load_file(tmp_path / "start.safetensors")
    after = load_file(tmp_path / "checkpoints" / "00000012" / "model.safetensors")
    methods = load_file(tmp_path / "checkpoints" / "00000012" / "methods.safetensors")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    kinds = ("down", "up", "gate_bias")
    assert changed == {f"blocks.{block}.adapter.{kind}" for block in (0, 1) for kind in kinds}
    for name in changed:  # languages in order: Greek, English, Swahili
        assert torch.equal(before[name][:2], after[name][:2])
        assert torch.equal(before[name][:2], methods[f"average/{name}"][:2])
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    first, last = (line["languages"] for line in (lines[0], lines[-1]))
    assert last["swh_Latn"]["loss"] < first["swh_Latn"]["loss"]
    assert last["eng_Latn"] == first["eng_Latn"]
    assert last["ell_Grek"] == first["ell_Grek"]


@pytest.mark.parametrize("continual", [{}, {"mode": "open", "rate": 0.3, "adapters": True}])
def test_stopping_and_going_on_changes_nothing(tiny_corpus: str, tmp_path: Path, continual: dict[str, Any]) -> None:
    go_on(tiny_corpus, tmp_path / "whole", **continual)
    go_on(tiny_corpus, tmp_path / "parts", 7, **continual)
    go_on(tiny_corpus, tmp_path / "parts", **continual)
    one, other = (
        load_file(tmp_path / name / "checkpoints" / "00000012" / "model.safetensors") for name in ("whole", "parts")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)
