from __future__ import annotations

import json
import os
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
from trainer.config import TrainConfig
from trainer.distributed import World, world
from trainer.logs import read_metrics
from trainer.loop import train

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
    from trainer.config import TrainConfig
    from trainer.loop import train

    corpus, whole, begun, settings, sampler = sys.argv[1:]
    for folder, stop in ((whole, None), (begun, 4)):
        train(corpus, folder, TrainConfig.model_validate_json(settings), SamplerConfig.model_validate_json(sampler),
              tokenizer="bytes", seed=0, stop_after=stop)
"""


def test_two_processes_train_the_same_model_and_one_can_go_on(tiny_corpus: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    folders = [str(tmp_path / name) for name in ("two", "begun")]
    done = subprocess.run(
        [*command, tiny_corpus, *folders, json.dumps(SETTINGS), json.dumps(SAMPLER)],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    config, sampler = TrainConfig.model_validate(SETTINGS), SamplerConfig.model_validate(SAMPLER)
    for name in ("begun", "one"):
        assert train(tiny_corpus, str(tmp_path / name), config, sampler, tokenizer="bytes", seed=0).finished

    expected = load_file(tmp_path / "one" / "checkpoints" / "00000006" / "model.safetensors")
    alone = read_metrics(tmp_path / "one" / "metrics.jsonl")
    for name in ("two", "begun"):
        found = load_file(tmp_path / name / "checkpoints" / "00000006" / "model.safetensors")
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
