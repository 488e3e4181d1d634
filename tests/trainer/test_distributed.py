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

from corpus.errors import ConfigurationError
from sampler.config import SamplerConfig
from trainer.config import BatchGrowthConfig, LogConfig, TrainConfig
from trainer.config.continual import ContinualConfig
from trainer.config.parallel import ParallelRowsConfig
from trainer.distributed import World, world
from trainer.loop import train
from trainer.run.logs import read_metrics
from trainer.sharding import check_settings

SETTINGS: dict[str, Any] = {
    "steps": 6,
    "rows": 6,
    "threads": 1,
    "micro_rows": 2,
    "device": "cpu",
    "model": {"width": 16, "layers": 1, "heads": 2},
    "objective": {"kind": "mixed", "masked_share": 0.5},
    "log": {"every": 2, "tensorboard": False},
    "checkpoint": {"every": 3},
}
SAMPLER = {"row_tokens": 32, "block_rows": 8}

SCRIPT = """
    import sys
    from sampler.config import SamplerConfig
    from trainer.config import BatchGrowthConfig, LogConfig, TrainConfig
    from trainer.loop import train

    corpus, whole, begun, settings, sampler = sys.argv[1:]
    for folder, stop in ((whole, None), (begun, 4)):
        train(corpus, folder, TrainConfig.model_validate_json(settings), SamplerConfig.model_validate_json(sampler),
              tokenizer="bytes", seed=0, stop_after=stop)
"""


EVERYTHING = {
    "parallelism": "fsdp",
    "model": {"width": 16, "layers": 2, "heads": 2, "gate": "input", "norm_gains": True, "adapter_power": 0.5},
    "average": {"decay": 0.9},
    "language_loss": {"name": "group_dro", "options": {"rate": 0.02}},
    "optimiser": {"layer_decay": 0.9, "decay_growth": 2.0, "language_rate_power": 0.5},
    "early_stop": {"patience": 1, "min_bytes": 1, "action": "stop_learning", "min_improvement": 0.01},
    "heldout": {"every": 2},
}


def together(script: str, folder: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a script in two processes that train together."""
    path = folder / "script.py"
    path.write_text(textwrap.dedent(script))
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(path), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize("changes", [{}, EVERYTHING], ids=["ddp", "fsdp"])
def test_two_processes_train_the_same_model_and_one_can_go_on(
    tiny_corpus: str, tmp_path: Path, changes: dict[str, Any]
) -> None:
    settings = {**SETTINGS, **changes}
    folders = [str(tmp_path / name) for name in ("two", "begun")]
    done = together(SCRIPT, tmp_path, [tiny_corpus, *folders, json.dumps(settings), json.dumps(SAMPLER)])
    assert done.returncode == 0, done.stderr
    config, sampler = TrainConfig.model_validate(settings), SamplerConfig.model_validate(SAMPLER)
    for name in ("begun", "one"):
        assert train(tiny_corpus, str(tmp_path / name), config, sampler, tokenizer="bytes", seed=0).finished

    expected = load_file(tmp_path / "one" / "checkpoints" / "00000006" / "model.safetensors")
    alone = read_metrics(tmp_path / "one" / "metrics.jsonl")
    for name in ("two", "begun"):
        found = load_file(tmp_path / name / "checkpoints" / "00000006" / "model.safetensors")
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            torch.testing.assert_close(found[key], value, atol=1e-4, rtol=1e-3)
        lines = read_metrics(tmp_path / name / "metrics.jsonl")
        assert [(line["kind"], line["step"], line["tokens"]) for line in lines] == [
            (line["kind"], line["step"], line["tokens"]) for line in alone
        ]
        figures = {"train": "loss", "heldout": "micro_bits_per_byte"}
        for line, other in zip(lines, alone, strict=True):
            if line["kind"] in figures:
                key = figures[line["kind"]]
                assert line[key] == pytest.approx(other[key], rel=1e-4)
            else:
                assert line == other
    evidence = [json.loads((tmp_path / name / "evidence.json").read_text()) for name in ("one", "two")]
    for lang in evidence[0]:
        assert evidence[0][lang]["train_tokens_seen"] == evidence[1][lang]["train_tokens_seen"]


KILLED = """
    import os, signal, sys
    from sampler.config import SamplerConfig
    from trainer.config import BatchGrowthConfig, LogConfig, TrainConfig
    from trainer.loop import train

    corpus, folder, settings, sampler, number = sys.argv[1:]

    def progress(stage, done, total):
        if done == 5:
            os.kill(os.getpid(), int(number))

    train(corpus, folder, TrainConfig.model_validate_json(settings), SamplerConfig.model_validate_json(sampler),
          tokenizer="bytes", seed=0, progress=progress)
"""


@pytest.mark.slow
def test_a_cut_run_that_is_killed_goes_on_whole_in_one_process(tiny_corpus: str, tmp_path: Path) -> None:
    settings = {**SETTINGS, "parallelism": "fsdp", "optimiser": {"kind": "muon"}, "regularisers": []}
    arguments = [tiny_corpus, str(tmp_path / "cut"), json.dumps(settings), json.dumps(SAMPLER)]
    killed = together(KILLED, tmp_path, [*arguments, str(int(signal.SIGKILL))])
    assert "exitcode  : -9" in killed.stderr
    assert [path.name for path in (tmp_path / "cut" / "checkpoints").iterdir()] == ["00000003"]
    found = load_file(tmp_path / "cut" / "checkpoints" / "00000003" / "optimizer.safetensors")
    assert found["blocks.0.qkv.weight:momentum_buffer"].shape == (48, 16)

    sampler = SamplerConfig.model_validate(SAMPLER)
    for name, parallelism in (("cut", "ddp"), ("alone", "ddp")):
        config = TrainConfig.model_validate({**settings, "parallelism": parallelism})
        assert train(tiny_corpus, str(tmp_path / name), config, sampler, tokenizer="bytes", seed=0).finished
    cut, alone = (read_metrics(tmp_path / name / "metrics.jsonl") for name in ("cut", "alone"))
    assert [(line["kind"], line["step"]) for line in cut] == [(line["kind"], line["step"]) for line in alone]
    for line, other in zip(cut, alone, strict=True):
        if line["kind"] == "train":
            # Muon's iterations are in bfloat16, and begin from gradients that were added up in another order.
            assert line["loss"] == pytest.approx(other["loss"], rel=2e-3)


@pytest.mark.slow
def test_sigterm_to_one_of_two_processes_saves_and_ends_both(tiny_corpus: str, tmp_path: Path) -> None:
    arguments = [tiny_corpus, str(tmp_path / "run"), json.dumps({**SETTINGS, "steps": 9}), json.dumps(SAMPLER)]
    done = together(KILLED, tmp_path, [*arguments, str(int(signal.SIGTERM))])
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["step"], summary["finished"]) == (6, False)
    assert (tmp_path / "run" / "checkpoints" / "00000006" / "state.json").exists()


def test_rows_that_cannot_be_shared_evenly_and_held_rows_are_refused_when_the_model_is_cut() -> None:
    with pytest.raises(ConfigurationError, match=r"train\.rows is 6, which 4 processes cannot share evenly"):
        check_settings(TrainConfig(rows=6, parallelism="fsdp"), 4)
    check_settings(TrainConfig(rows=6, parallelism="fsdp"), 3)
    with pytest.raises(ConfigurationError, match=r"train\.batch_growth\.multiple is 1, which 3 processes"):
        check_settings(TrainConfig(rows=6, parallelism="fsdp", batch_growth=BatchGrowthConfig()), 3)
    with pytest.raises(ConfigurationError, match=r"train\.log\.shares_every asks for a backward pass"):
        check_settings(TrainConfig(rows=6, parallelism="fsdp", log=LogConfig(shares_every=10)), 3)
    with pytest.raises(ConfigurationError, match=r"rows of translations"):
        check_settings(TrainConfig(rows=6, parallelism="fsdp", parallel=ParallelRowsConfig()), 3)
    held = ContinualConfig(hash="0" * 32, old=("eng_Latn",), old_vocabulary=5)
    with pytest.raises(ConfigurationError, match="holds rows of whole tensors"):
        check_settings(TrainConfig(rows=6, parallelism="fsdp", continual=held), 3)


def test_turns_give_each_process_a_piece_and_a_cut_model_work_on_all() -> None:
    def own(rank: int, *, sharded: bool) -> list[tuple[str | None, bool]]:
        turns = World(rank, 2, torch.device("cpu"), sharded=sharded).turns("abc")
        return [(turn.own, turn.counts) for turn in turns]

    assert own(0, sharded=False) == [("a", True), ("c", True)]
    assert own(1, sharded=False) == [("b", True), (None, False)]
    assert own(1, sharded=True) == [("b", True), ("c", False)]


def test_processes_share_the_rows_of_a_step() -> None:
    device = torch.device("cpu")
    shares = [list(World(rank, 3, device).share(10, 18)) for rank in range(3)]
    assert shares == [[10, 13, 16], [11, 14, 17], [12, 15]]


def test_alone_nothing_is_shared() -> None:
    alone = world("cpu")
    assert (alone.rank, alone.size, alone.leads) == (0, 1, True)
    values = torch.ones(2)
    assert alone.sum(values) is values
    model = torch.nn.Linear(1, 1)
    assert alone.wrap(model) is model


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there_is_said() -> None:
    with pytest.raises(ConfigurationError, match="torch finds no GPU"):
        world("cuda")
