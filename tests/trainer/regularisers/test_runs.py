"""Runs with every penalty on: killed and gone on with, on two processes, and what they log."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from corpus.errors import ConfigurationError
from sampler.config import SamplerConfig
from tests.trainer.test_distributed import SAMPLER, SCRIPT, together
from tests.trainer.test_distributed import SETTINGS as PLAIN
from tests.trainer.test_loop import killed_in_a_process
from trainer.config import LogConfig, RegulariserConfig, TrainConfig
from trainer.loop import train
from trainer.run.logs import read_metrics
from trainer.sharding import check_settings

SETTINGS: dict[str, Any] = {
    **PLAIN,
    "model": {"width": 16, "layers": 2, "heads": 2},
    "optimiser": {"learning_rate": 0.01},
    "log": {"every": 2, "tensorboard": False, "shares_every": 2},
    "regularisers": [
        {"name": "deviation", "by_evidence": {"by": "repeats", "power": 1}},
        {"name": "orthogonality", "schedule": {"start": 0.2, "warmup": 0.2}},
        {"name": "redundancy", "options": {"tokens": 8}},
        {"name": "embedding", "strength": 10, "options": {"prior": "average", "decay": 0.5}},
        {"name": "vrex", "options": {"sides": "both"}},
    ],
}
NAMES = {"deviation", "orthogonality", "redundancy", "embedding", "vrex"}


def run(corpus: str, folder: Path, settings: dict[str, Any]) -> None:
    config, sampler = TrainConfig.model_validate(settings), SamplerConfig.model_validate(SAMPLER)
    train(corpus, str(folder), config, sampler, tokenizer="bytes", seed=0)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoints" / "00000006" / "model.safetensors")


def penalties(folder: Path) -> list[dict[str, Any]]:
    return [line["penalties"] for line in read_metrics(folder / "metrics.jsonl") if line["kind"] == "train"]


def test_a_killed_run_goes_on_to_the_same_and_all_is_logged(tiny_corpus: str, tmp_path: Path) -> None:
    settings = {**SETTINGS, "dropout": {"rate": 0.1}}
    settings["regularisers"] = [*SETTINGS["regularisers"], {"name": "rdrop", "options": {"after": 0}}]
    run(tiny_corpus, tmp_path / "whole", settings)
    killed = killed_in_a_process(tiny_corpus, tmp_path / "parts", 5, settings, SAMPLER)
    assert killed.returncode == -signal.SIGKILL
    run(tiny_corpus, tmp_path / "parts", settings)
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(one[name], other[name]) for name in one)
    first, second = penalties(tmp_path / "whole"), penalties(tmp_path / "parts")
    assert first == second
    last = first[-1]
    assert last.keys() == NAMES | {"rdrop"}
    for name, figures in last.items():
        assert figures["value"] > 0, name
        assert 0 < figures["share_of_loss"] < 1, name
        assert 0 < figures["share_of_gradient"] < 1.5, name
    assert first[0]["orthogonality"]["strength"] == 0.5
    memory = load_file(tmp_path / "whole" / "checkpoints" / "00000006" / "methods.safetensors")
    assert set(memory) == {"regulariser/embedding/prior", "known/sums"}


@pytest.mark.slow
@pytest.mark.parametrize("parallelism", ["ddp", "fsdp"])
def test_two_processes_do_as_one(tiny_corpus: str, tmp_path: Path, parallelism: str) -> None:
    settings = {**SETTINGS, "parallelism": parallelism}
    if parallelism == "fsdp":
        settings["log"] = PLAIN["log"]
    folders = [str(tmp_path / name) for name in ("two", "begun")]
    done = together(SCRIPT, tmp_path, [tiny_corpus, *folders, json.dumps(settings), json.dumps(SAMPLER)])
    assert done.returncode == 0, done.stderr
    run(tiny_corpus, tmp_path / "one", settings)
    expected = weights(tmp_path / "one")
    for name, found in weights(tmp_path / "two").items():
        torch.testing.assert_close(found, expected[name], atol=1e-4, rtol=1e-3)
    for found, alone in zip(penalties(tmp_path / "two"), penalties(tmp_path / "one"), strict=True):
        for name, figures in alone.items():
            assert found[name].keys() == figures.keys()
            for key in {"value", "strength", "share_of_loss", "share_of_gradient"} & figures.keys():
                assert found[name][key] == pytest.approx(figures[key], rel=2e-3, abs=1e-7), (name, key)


def test_what_a_cut_model_cannot_do() -> None:
    plain = TrainConfig(rows=4, regularisers=())
    check_settings(plain, 2)
    with pytest.raises(ConfigurationError, match=r"train\.log\.shares_every asks"):
        check_settings(plain.model_copy(update={"log": LogConfig(shares_every=10)}), 2)
    with pytest.raises(ConfigurationError, match="regulariser 'rdrop' computes rows twice"):
        check_settings(plain.model_copy(update={"regularisers": (RegulariserConfig(name="rdrop"),)}), 2)


def test_a_baseline_that_cannot_be_read_names_its_setting(tiny_corpus: str, tmp_path: Path) -> None:
    options = {"baseline": str(tmp_path / "nowhere.json")}
    settings = {**PLAIN, "regularisers": [{"name": "vrex", "options": options}]}
    with pytest.raises(ConfigurationError, match=r"option 'baseline' of regulariser 'vrex' names .*nowhere\.json"):
        run(tiny_corpus, tmp_path / "run", settings)
