from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from corpus.errors import ConfigurationError
from corpus.manifest import read_snapshot
from corpus.storage import Storage
from sampler.config import SamplerConfig
from trainer.config import ObjectiveConfig, TrainConfig
from trainer.config.parallel import ParallelRowsConfig
from trainer.distributed import World
from trainer.evaluate import evaluate
from trainer.loop import train
from trainer.parallel.batches import ParallelBatches, Special
from trainer.parallel.text import ParallelText
from trainer.run.logs import read_metrics

LANGUAGES = ("ell_Grek", "eng_Latn", "swh_Latn")
SETTINGS: dict[str, Any] = {
    "steps": 6,
    "rows": 4,
    "threads": 1,
    "micro_rows": 2,
    "device": "cpu",
    "model": {"width": 16, "layers": 2, "heads": 2},
    "objective": {"kind": "mixed", "masked_share": 0.5},
    "parallel": {"tlm": {"pairs": 5}, "contrastive_pairs": 6, "heldout_pairs": 10},
    "regularisers": [{"name": "contrastive", "strength": 0.5, "options": {"queue": 20, "centre": True}}],
    "log": {"every": 2, "tensorboard": False},
    "checkpoint": {"every": 2},
    "heldout": {"every": 3},
}
SAMPLER = {"row_tokens": 64, "block_rows": 8}

SCRIPT = """
    import os, signal, sys
    from sampler.config import SamplerConfig
    from trainer.config import TrainConfig
    from trainer.loop import train

    corpus, folder, settings, sampler, at = sys.argv[1:]

    def progress(stage, done, total):
        if done == int(at):
            os.kill(os.getpid(), signal.SIGKILL)

    train(corpus, folder, TrainConfig.model_validate_json(settings), SamplerConfig.model_validate_json(sampler),
          tokenizer="bytes", seed=0, progress=progress)
"""


def _config(**changes: Any) -> TrainConfig:
    return TrainConfig.model_validate({**SETTINGS, **changes})


def _train(corpus: str, folder: Path, **changes: Any) -> dict[str, torch.Tensor]:
    sampler = SamplerConfig.model_validate(SAMPLER)
    assert train(corpus, str(folder), _config(**changes), sampler, tokenizer="bytes", seed=0).finished
    return _weights(folder)


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoints" / "00000006" / "model.safetensors")


def _script(folder: Path, start: list[str], corpus: str, run: Path, at: int) -> subprocess.CompletedProcess[str]:
    path = folder / "script.py"
    path.write_text(textwrap.dedent(SCRIPT))
    settings = json.dumps(SETTINGS)
    return subprocess.run(
        [sys.executable, *start, str(path), corpus, str(run), settings, json.dumps(SAMPLER), str(at)],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )


@pytest.fixture(scope="module")
def whole(parallel_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    _train(parallel_corpus, folder)
    return folder


def test_translations_have_lines_of_their_own_and_leave_the_other_counts_alone(
    whole: Path, parallel_corpus: str, tmp_path: Path
) -> None:
    lines = read_metrics(whole / "metrics.jsonl")
    parallel = [line for line in lines if line["kind"] == "parallel"]
    assert [line["step"] for line in parallel] == [2, 4, 6]
    assert set(parallel[0]["languages"]) == set(LANGUAGES)
    assert parallel[0]["loss"] > 0
    assert parallel[-1]["tokens"] > parallel[0]["tokens"] > 0
    assert sum(30 * value for value in parallel[-1]["passes"]["tlm"].values()) == pytest.approx(30, abs=10)
    found = [line for line in lines if line["kind"] == "retrieval"]
    assert [line["step"] for line in found] == [0, 3, 6]
    assert found[0]["layer"] == 0
    assert set(found[0]["pairs"]) == {"ell_Grek-eng_Latn", "ell_Grek-swh_Latn", "eng_Latn-swh_Latn"}
    train_lines = [line for line in lines if line["kind"] == "train"]
    assert set(train_lines[0]["penalties"]) == {"contrastive"}
    assert {"value", "accuracy", "cosine_of_others"} <= set(train_lines[0]["penalties"]["contrastive"])

    _train(parallel_corpus, tmp_path, parallel=None, regularisers=[])
    without = [line for line in read_metrics(tmp_path / "metrics.jsonl") if line["kind"] == "train"]
    for line, other in zip(train_lines, without, strict=True):
        assert line["tokens"] == other["tokens"]
        assert {lang: one["seen_tokens"] for lang, one in line["languages"].items()} == {
            lang: one["seen_tokens"] for lang, one in other["languages"].items()
        }
    assert "parallel" not in {line["kind"] for line in read_metrics(tmp_path / "metrics.jsonl")}


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(whole: Path, parallel_corpus: str, tmp_path: Path) -> None:
    sampler = SamplerConfig.model_validate(SAMPLER)
    train(parallel_corpus, str(tmp_path), _config(), sampler, tokenizer="bytes", seed=0, stop_after=3)
    found, expected = _train(parallel_corpus, tmp_path), _weights(whole)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_weights(whole: Path, parallel_corpus: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    killed = _script(tmp_path, [], parallel_corpus, run, at=5)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    found = _train(parallel_corpus, run)
    expected = _weights(whole)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    kinds = ("parallel", "retrieval")
    lines = [line for line in read_metrics(run / "metrics.jsonl") if line["kind"] in kinds]
    assert lines == [line for line in read_metrics(whole / "metrics.jsonl") if line["kind"] in kinds]


@pytest.mark.slow
def test_two_processes_come_to_the_same_weights_as_one(whole: Path, parallel_corpus: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = _script(tmp_path, start, parallel_corpus, run, at=-1)
    assert done.returncode == 0, done.stderr
    found, expected = _weights(run), _weights(whole)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-4, rtol=1e-3)
    for line, other in zip(read_metrics(run / "metrics.jsonl"), read_metrics(whole / "metrics.jsonl"), strict=True):
        if line["kind"] == "parallel":
            assert line["tokens"] == other["tokens"]
            assert line["loss"] == pytest.approx(other["loss"], rel=1e-4)
        if line["kind"] == "train":
            one, two = line["penalties"]["contrastive"], other["penalties"]["contrastive"]
            assert one["value"] == pytest.approx(two["value"], rel=1e-3)


def test_evaluate_searches_held_out_translations(whole: Path, parallel_corpus: str) -> None:
    found = evaluate(str(whole), parallel_corpus)["retrieval"]
    assert found["pairs"]["eng_Latn-swh_Latn"]["pairs"] == 20
    assert 0 <= found["mean"]["cosine"] <= 1


def test_without_penalty_and_loss_the_translations_move_nothing(parallel_corpus: str, tmp_path: Path) -> None:
    plain = _train(parallel_corpus, tmp_path / "plain", parallel=None, regularisers=[])
    silent = _train(
        parallel_corpus,
        tmp_path / "silent",
        parallel={"tlm": {"pairs": 5, "strength": 0}, "contrastive_pairs": 6, "heldout_pairs": 0},
        regularisers=[{"name": "contrastive", "strength": 0}],
    )
    for name, value in plain.items():
        torch.testing.assert_close(silent[name], value, atol=1e-6, rtol=1e-5)


def _batches(corpus: str, world: World, **changes: Any) -> ParallelBatches:
    storage = Storage(corpus)
    text = ParallelText(storage, read_snapshot(storage), "bytes", "train", LANGUAGES)
    config = ParallelRowsConfig.model_validate({"tlm": {"pairs": 7}, "contrastive_pairs": 5, **changes})
    return ParallelBatches(
        text,
        config,
        ObjectiveConfig(kind="masked"),
        world,
        Special(begin=2, pad=0, mask=4),
        languages=3,
        row_tokens=96,
        pass_rows=2,
        total=10,
        seed=3,
    )


def test_processes_share_the_rows_and_hide_the_same_tokens(parallel_corpus: str) -> None:
    cpu = torch.device("cpu")
    alone = _batches(parallel_corpus, World(0, 1, cpu)).translations(4)
    shared = [_batches(parallel_corpus, World(rank, 3, cpu)).translations(4) for rank in range(3)]
    assert len({len(batches) for batches in shared}) == 1
    assert {batch.total for batches in [alone, *shared] for batch in batches} == {
        sum(len(batch.work.labels) for batch in alone)
    }

    def hidden(batches: Any) -> list[tuple[int, int]]:
        return sorted(
            (label, lang)
            for b in batches
            for label, lang in zip(b.work.labels.tolist(), b.work.languages.tolist(), strict=True)
        )

    assert hidden(alone) == hidden([batch for batches in shared for batch in batches])
    assert all(batch.work.inputs.bidirectional.all() for batch in alone)
    for batch in alone:
        predicted = batch.rows.tokens.reshape(-1)[batch.work.inputs.select.numpy() + 1]
        assert predicted.tolist() == batch.work.labels.tolist()
        assert not (predicted == 2).any()
        assert (batch.work.inputs.tokens.numpy()[batch.rows.begins] == 2).all()


def test_sentences_one_by_one_are_whole_in_one_process_and_predict_nothing(parallel_corpus: str) -> None:
    parts = [_batches(parallel_corpus, World(rank, 2, torch.device("cpu"))).sentences(1) for rank in range(2)]
    assert all(part is not None and len(part.work.labels) == 0 for part in parts)
    own = [set(np.unique(part.rows.sentences).tolist()) - {-1} for part in parts if part is not None]
    assert own[0] | own[1] == set(range(10))
    assert not own[0] & own[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parallel": None}, "set `parallel.contrastive_pairs`"),
        ({"regularisers": []}, "no regulariser compares translations"),
        ({"parallel": {"contrastive_pairs": 4, "pivot": "English"}}, "no language tag"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _config(**changes)


def test_a_corpus_without_parallel_text_is_refused(tiny_corpus: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="tokenize --parallel"):
        _train(tiny_corpus, tmp_path)
