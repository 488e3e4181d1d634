"""The whole loop on models of ``transformers``: train, stop, go on without the base, evaluate."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from corpus.errors import ConfigurationError
from sampler.config import SamplerConfig
from trainer.config import TrainConfig
from trainer.evaluate import evaluate
from trainer.loop import train
from trainer.run.logs import read_metrics

MakeBase = Callable[[str], Path]


def run(corpus: str, folder: Path, base: Path, kind: str, **changes: Any) -> None:
    stop_after = changes.pop("stop_after", None)
    settings = {
        "steps": 6,
        "rows": 4,
        "threads": 1,
        "model": {"base": str(base), "adapter": 4, **changes.pop("model", {})},
        "objective": {"kind": kind},
        "optimiser": {"learning_rate": 0.01, "layer_decay": 0.8},
        "log": {"every": 2, "tensorboard": False},
        "checkpoint": {"every": 3},
        "heldout": {"every": 6, "rows": 2},
        **changes,
    }
    train(
        corpus,
        str(folder),
        TrainConfig.model_validate(settings),
        SamplerConfig.model_validate({"row_tokens": 32, "block_rows": 8}),
        tokenizer="bytes",
        seed=0,
        stop_after=stop_after,
    )


def weights(folder: Path, step: int = 6) -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoints" / f"{step:08d}" / "model.safetensors")


@pytest.mark.parametrize(("name", "kind"), [("xlm-roberta", "masked"), ("qwen2", "causal")])
def test_a_stopped_run_goes_on_to_the_same_bits_without_its_base(
    tiny_corpus: str, make_base: MakeBase, tmp_path: Path, name: str, kind: str
) -> None:
    base = tmp_path / "base"
    shutil.copytree(make_base(name), base)
    run(tiny_corpus, tmp_path / "whole", base, kind)
    run(tiny_corpus, tmp_path / "stopped", base, kind, stop_after=3)
    shutil.rmtree(base)
    run(tiny_corpus, tmp_path / "stopped", base, kind)
    first, second = weights(tmp_path / "whole"), weights(tmp_path / "stopped")
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)

    losses = [line["loss"] for line in read_metrics(tmp_path / "whole" / "metrics.jsonl") if line["kind"] == "train"]
    assert losses[-1] < losses[0]
    found = evaluate(str(tmp_path / "whole"), tiny_corpus)
    assert found["objective"] == kind
    assert set(found["languages"]) == {"ell_Grek", "eng_Latn", "swh_Latn"}
    held = [line for line in read_metrics(tmp_path / "whole" / "metrics.jsonl") if line["kind"] == "heldout"]
    assert held[-1]["macro_bits_per_byte"] < held[0]["macro_bits_per_byte"]


def test_a_frozen_core_keeps_its_bits(tiny_corpus: str, make_base: MakeBase, tmp_path: Path) -> None:
    base = make_base("xlm-roberta")
    run(tiny_corpus, tmp_path / "run", base, "masked", model={"train_core": False})
    before = load_file(base / "model.safetensors")
    after = weights(tmp_path / "run")
    core = {name.removeprefix("base."): value for name, value in after.items() if name.startswith("base.")}
    shared = before.keys() & core.keys()
    assert len(shared) > 30
    assert all(torch.equal(before[name], core[name]) for name in shared)
    assert after["layer_adapters.1.up"].abs().max() > 0


def test_a_base_of_another_objective_is_refused(tiny_corpus: str, make_base: MakeBase, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"objective.kind is 'causal', but the base"):
        run(tiny_corpus, tmp_path / "run", make_base("xlm-roberta"), "causal")
