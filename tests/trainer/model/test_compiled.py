from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from corpus.errors import ConfigurationError
from sampler.config import SamplerConfig
from trainer.config import ModelConfig, TrainConfig
from trainer.loop import train
from trainer.model.adapters import LanguageAdapter
from trainer.model.attention import lay_out
from trainer.model.compiled import compile_blocks
from trainer.model.language_model import Inputs, LanguageModel, Outputs
from trainer.model.noise import SILENT, Noise
from trainer.model.transformer import Transformer

CPU = torch.device("cpu")
SETTINGS: dict[str, Any] = {
    "steps": 6,
    "rows": 4,
    "threads": 1,
    "compile": True,
    "model": {"width": 16, "layers": 2, "heads": 2},
    "objective": {"kind": "mixed", "masked_share": 0.5},
    "dropout": {"rate": 0.1},
    "log": {"tensorboard": False},
    "checkpoint": {"every": 2},
    "heldout": {"rows": 2, "every": 6},
}
SAMPLER = {"row_tokens": 32, "block_rows": 8}

SCRIPT = """
    import os, signal, sys
    from sampler.config import SamplerConfig
    from trainer.config import TrainConfig
    from trainer.loop import train

    corpus, folder, settings, sampler = sys.argv[1:]
    def progress(stage, done, total):
        if done == 3:
            os.kill(os.getpid(), signal.SIGKILL)
    train(
        corpus, folder, TrainConfig.model_validate_json(settings), SamplerConfig.model_validate_json(sampler),
        tokenizer="bytes", seed=0, progress=progress,
    )
"""


def make() -> Transformer:
    torch.manual_seed(0)
    model = Transformer(ModelConfig(width=16, layers=2, heads=2), vocabulary=30, languages=3)
    with torch.no_grad():
        for adapter in model.adapters():
            adapter.up.normal_()
    return model


def batch(segments: list[list[int]], languages: torch.Tensor, predicted: int) -> Inputs:
    parts = torch.tensor(segments, dtype=torch.int32)
    both = torch.tensor([False, True])
    tokens = torch.arange(parts.numel()).view(parts.shape) % 30
    layout = lay_out(parts.numpy(), both.numpy(), CPU)
    return Inputs(tokens, parts, torch.zeros_like(parts), languages, both, torch.arange(predicted), layout)


def test_gives_what_the_model_gives_whatever_the_documents_and_their_number() -> None:
    torch._dynamo.reset()
    plain, compiled = make(), make()
    # What goes from batch to batch is seen by all backends alike; this one needs no compiler.
    compile_blocks(compiled, CPU, backend="aot_eager")
    assert plain.state_dict().keys() == compiled.state_dict().keys()
    mixed = torch.tensor([[0, 0, 0, 2, 2, 2], [1, 1, 1, 1, 1, -1]])
    with torch._dynamo.config.patch(error_on_recompile=False, recompile_limit=4, fail_on_recompile_limit_hit=True):
        for cut in (1, 3, 4):
            for languages in (torch.tensor([0, 2]), mixed):
                given_batch = batch([[0] * cut + [1] * (6 - cut), [0] * 3 + [1] * 3], languages, 4 + cut)
                found, expected = compiled(given_batch), plain(given_batch)
                torch.testing.assert_close(found.logits, expected.logits)
                found.logits.square().sum().backward()
                expected.logits.square().sum().backward()
    for one, other in zip(compiled.parameters(), plain.parameters(), strict=True):
        if one.grad is not None:
            torch.testing.assert_close(one.grad, other.grad, atol=1e-4, rtol=1e-4)


class Foreign(LanguageModel):
    """A model that is not the project's own."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([LanguageAdapter(1, 4, 2)])

    def forward(self, inputs: Inputs, noise: Noise = SILENT, keep: object = ()) -> Outputs:
        raise AssertionError

    def depth(self, name: str) -> int:
        raise AssertionError


def test_other_models_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"another library's.*Set train\.compile to false"):
        compile_blocks(Foreign(), CPU)


def test_what_compiles_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ConfigurationError, match=r"no C\+\+ compiler \(looked for no-such-compiler\)"):
        compile_blocks(make(), CPU)
    monkeypatch.delenv("CXX")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError, match=r"looked for g\+\+, clang\+\+, c\+\+"):
        compile_blocks(make(), CPU)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="triton, which is not installed"):
        compile_blocks(make(), torch.device("cuda"))


def run_training(corpus: str, folder: Path) -> dict[str, torch.Tensor]:
    config, sampler = TrainConfig.model_validate(SETTINGS), SamplerConfig.model_validate(SAMPLER)
    assert train(corpus, str(folder), config, sampler, tokenizer="bytes", seed=0).finished
    return load_file(folder / "checkpoints" / "00000006" / "model.safetensors")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="compiling needs a C++ compiler")
def test_a_killed_run_goes_on_to_the_same_weights(tiny_corpus: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), tiny_corpus, folder, json.dumps(SETTINGS), json.dumps(SAMPLER)],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed, whole = run_training(tiny_corpus, folder), run_training(tiny_corpus, tmp_path / "whole")
    assert resumed.keys() == whole.keys()
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
