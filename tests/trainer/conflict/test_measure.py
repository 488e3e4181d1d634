from __future__ import annotations

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
    "steps": 6,
    "rows": 8,
    "threads": 1,
    "micro_rows": 3,
    "device": "cpu",
    "model": {"width": 16, "layers": 2, "heads": 2},
    "log": {"every": 2, "tensorboard": False},
    "checkpoint": {"every": 3},
    "regularisers": [{"name": "deviation"}],
}
CONFLICT = {"every": 2, "groups": {"by": "language"}}


def run(corpus: str, folder: Path, stop_after: int | None = None, **more: Any) -> None:
    config = TrainConfig.model_validate({**SETTINGS, **more})
    train(
        corpus,
        str(folder),
        config,
        SamplerConfig(row_tokens=32, block_rows=8, mixture="uniform"),
        tokenizer="bytes",
        seed=0,
        stop_after=stop_after,
    )


def weights(folder: Path, file: str = "model") -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoints" / "00000006" / f"{file}.safetensors")


def test_a_measured_run_is_the_same_run_and_goes_on_with_its_means(tiny_corpus: str, tmp_path: Path) -> None:
    plain, whole, parts = (tmp_path / name for name in ("plain", "whole", "parts"))
    run(tiny_corpus, plain)
    run(tiny_corpus, whole, conflict=CONFLICT)
    run(tiny_corpus, parts, conflict=CONFLICT, stop_after=3)
    run(tiny_corpus, parts, conflict=CONFLICT)
    for name, value in weights(plain).items():
        assert torch.equal(value, weights(whole)[name]), name
    assert weights(whole, "methods")["conflict/cosines"].any()
    assert torch.equal(weights(whole, "methods")["conflict/cosines"], weights(parts, "methods")["conflict/cosines"])

    lines = [line for line in read_metrics(whole / "metrics.jsonl") if line["kind"] == "conflict"]
    assert [line["step"] for line in lines] == [2, 4, 6]
    assert lines == [line for line in read_metrics(parts / "metrics.jsonl") if line["kind"] == "conflict"]
    last = lines[-1]
    assert last["groups"] == {name: [name] for name in ("eng_Latn", "swh_Latn", "ell_Grek")}
    assert set(last["cosines"]["swh_Latn"]) == {"swh_Latn", "ell_Grek"}
    assert -1 <= last["cosines"]["eng_Latn"]["swh_Latn"] <= 1
    assert sum(last["shares"].values()) == pytest.approx(1)
    assert set(last["blocks"]) == {"0", "1"}
    assert all(norm > 0 for norm in last["norms"].values())


def test_blocks_that_leave_rows_out_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="`conflict` needs all rows in all blocks"):
        TrainConfig.model_validate({"conflict": CONFLICT, "layer_drop": {"rate": 0.2}})
