"""Rows that hold documents of several languages, from the corpus to the evidence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from sampler.config import SamplerConfig
from trainer.config import TrainConfig
from trainer.loop import train
from trainer.run.logs import read_metrics

SETTINGS: dict[str, Any] = {
    "steps": 12,
    "rows": 4,
    "micro_rows": 3,
    "threads": 1,
    "model": {"width": 16, "layers": 2, "heads": 2, "gate": "input", "norm_gains": True},
    "objective": {"kind": "mixed", "masked_share": 0.5, "goldfish": {"after": 0.5}},
    "dropout": {"growth": 0.2, "after": 0.1},
    "layer_drop": {"rate": 0.3},
    "language_loss": {"name": "group_dro", "smoothing": 0.5},
    "log": {"every": 4, "tensorboard": False},
    "checkpoint": {"every": 5},
    "heldout": {"every": 12, "rows": 2},
}
SAMPLER = {"row_tokens": 48, "block_rows": 8, "rows": "mixed"}

SCRIPT = """
    import os, signal, sys
    from sampler.config import SamplerConfig
    from trainer.config import TrainConfig
    from trainer.loop import train

    corpus, folder, settings, sampler = sys.argv[1:]
    def progress(stage, done, total):
        if done == 7:
            os.kill(os.getpid(), signal.SIGKILL)
    train(
        corpus, folder, TrainConfig.model_validate_json(settings), SamplerConfig.model_validate_json(sampler),
        tokenizer="bytes", seed=0, progress=progress,
    )
"""


def run_training(corpus: str, folder: Path) -> None:
    config, sampler = TrainConfig.model_validate(SETTINGS), SamplerConfig.model_validate(SAMPLER)
    assert train(corpus, str(folder), config, sampler, tokenizer="bytes", seed=0).finished


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoints" / "00000012" / "model.safetensors")


@pytest.fixture(scope="module")
def whole(tiny_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixed") / "run"
    run_training(tiny_corpus, folder)
    return folder


def test_tokens_and_losses_are_counted_by_language(whole: Path) -> None:
    lines = [line for line in read_metrics(whole / "metrics.jsonl") if line["kind"] == "train"]
    assert [line["step"] for line in lines] == [4, 8, 12]
    for line in lines:
        assert set(line["languages"]) == {"eng_Latn", "swh_Latn", "ell_Grek"}
        assert sum(figures["tokens"] for figures in line["languages"].values()) == 4 * 4 * 48
        assert all(figures["loss"] > 0 for figures in line["languages"].values())
    assert lines[-1]["dropout"] > 0
    assert len({figures["loss_factor"] for figures in lines[-1]["languages"].values()}) == 3
    evidence = json.loads((whole / "evidence.json").read_text())
    assert sum(known["train_tokens_seen"] for known in evidence.values()) == 12 * 4 * 48
    for known in evidence.values():
        assert known["repeats"] > 0
        assert known["gap_bits_per_byte"] == pytest.approx(
            known["heldout_bits_per_byte"] - known["train_bits_per_byte"]
        )


def test_every_language_moves_its_own_weights(whole: Path) -> None:
    found = weights(whole)
    for block in range(2):
        moved = found[f"blocks.{block}.adapter.up"].abs().sum(dim=(1, 2))
        assert (moved > 0).all()
        assert found[f"blocks.{block}.attention_norm.own"].any(dim=1).all()


def test_a_killed_run_goes_on_to_the_same_weights(whole: Path, tiny_corpus: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), tiny_corpus, folder, json.dumps(SETTINGS), json.dumps(SAMPLER)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    run_training(tiny_corpus, folder)
    one, other = weights(whole), weights(folder)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
