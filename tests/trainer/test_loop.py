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

from corpus.config import Config
from corpus.errors import ConfigurationError, CorpusError
from corpus.manifest import commit, read_snapshot
from corpus.storage import Storage
from sampler.config import SamplerConfig
from trainer import regularisers
from trainer.config import TrainConfig
from trainer.distributed import World
from trainer.evaluate import evaluate
from trainer.loop import train
from trainer.regularisers.base import Moment, Penalty
from trainer.run.logs import read_metrics
from trainer.run.outcome import Summary
from trainer.run.pace import MEASURED
from trainer.run.session import Session, TrainingError
from trainer.steps.rows import Work, make_work

CPU = torch.device("cpu")
SAMPLER = {"row_tokens": 32, "block_rows": 8}
SETTINGS: dict[str, Any] = {
    "steps": 25,
    "rows": 4,
    "threads": 1,
    "model": {"width": 16, "layers": 1, "heads": 2},
    "objective": {"kind": "mixed", "masked_share": 0.5},
    "log": {"every": 4, "tensorboard": False},
    "checkpoint": {"every": 5},
    "heldout": {"every": 10, "rows": 2},
}


def run_training(corpus: str, folder: Path, *, seed: int = 0, **changes: Any) -> Summary:
    keywords = {name: changes.pop(name) for name in ("resume", "stop_after", "progress") if name in changes}
    return train(
        corpus,
        str(folder),
        TrainConfig.model_validate({**SETTINGS, **changes}),
        SamplerConfig.model_validate(SAMPLER),
        tokenizer="bytes",
        seed=seed,
        **keywords,
    )


def weights(folder: Path, step: int = 25) -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoints" / f"{step:08d}" / "model.safetensors")


def lines(folder: Path) -> list[dict[str, Any]]:
    """The metrics without the figures that are measured by the clock."""
    found = read_metrics(folder / "metrics.jsonl")
    for line in found:
        for name in MEASURED:
            line.pop(name, None)
    return found


def assert_same_run(one: Path, other: Path, step: int = 25) -> None:
    assert lines(one) == lines(other)
    first, second = weights(one, step), weights(other, step)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def whole(tiny_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    summary = run_training(tiny_corpus, folder)
    assert summary.finished
    return folder


def test_writes_what_a_run_holds(whole: Path, tiny_corpus: str) -> None:
    assert sorted(path.name for path in whole.iterdir()) == [
        "checkpoints",
        "evidence.json",
        "metrics.jsonl",
        "mixture",
        "summary.json",
    ]
    assert [path.name for path in sorted((whole / "checkpoints").iterdir())] == ["00000020", "00000025"]
    found = read_metrics(whole / "metrics.jsonl")
    assert [(line["kind"], line["step"]) for line in found] == [
        ("heldout", 0),
        ("train", 4),
        ("train", 8),
        ("sampler", 10),
        ("heldout", 10),
        ("train", 12),
        ("train", 16),
        ("train", 20),
        ("sampler", 20),
        ("heldout", 20),
        ("train", 24),
        ("train", 25),
        ("sampler", 25),
        ("heldout", 25),
    ]
    train_line = found[1]
    assert set(train_line) == {
        "kind", "step", "tokens", "loss", "lr", "weight_decay", "dropout", "grad_norm", "skipped", "tokens_per_second",
        "flops_per_second", "peak_memory_bytes", "penalties", "adapters", "languages",
    }  # fmt: skip
    assert train_line["tokens"] == 4 * 4 * 32
    assert set(train_line["penalties"]["deviation"]) == {"value", "strength", "share_of_loss", "kl"}
    assert sum(figures["tokens"] for figures in train_line["languages"].values()) == 4 * 4 * 32
    english = train_line["languages"]["eng_Latn"]
    assert set(english) == {"loss", "tokens", "seen_tokens", "repeats"}
    sizes = read_snapshot(tiny_corpus).languages["eng_Latn"]
    assert english["repeats"] == pytest.approx(english["seen_tokens"] / (sizes.bytes + sizes.documents))
    assert found[-1]["languages"]["eng_Latn"].keys() == {"bits_per_byte", "loss", "bytes", "tokens"}
    assert found[-1]["macro_bits_per_byte"] < found[0]["macro_bits_per_byte"] - 0.5
    assert found[-1]["objective"] == "causal"


def test_summary_and_evidence(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_text())
    assert summary["step"] == 25
    assert summary["tokens"] == 25 * 4 * 32
    assert summary["mixture"] == "unimax"
    assert summary["objective"] == "mixed"
    assert summary["final"] == read_metrics(whole / "metrics.jsonl")[-1]
    assert summary["parameters"] == sum(
        value.numel() for name, value in weights(whole).items() if not name.endswith(".prior")
    )
    evidence = json.loads((whole / "evidence.json").read_text())
    assert set(evidence) == {"eng_Latn", "swh_Latn", "ell_Grek"}
    assert sum(known["train_tokens_seen"] for known in evidence.values()) == 25 * 4 * 32
    assert sum(known["share_realised"] for known in evidence.values()) == pytest.approx(1)
    assert sum(known["share_asked"] for known in evidence.values()) == pytest.approx(1)
    for lang, known in evidence.items():
        assert known["gap_bits_per_byte"] == pytest.approx(
            known["heldout_bits_per_byte"] - known["train_bits_per_byte"]
        )
        assert known["heldout_bits_per_byte"] == summary["final"]["languages"][lang]["bits_per_byte"]


def test_the_same_seed_gives_the_same_run_and_another_another(whole: Path, tiny_corpus: str, tmp_path: Path) -> None:
    run_training(tiny_corpus, tmp_path / "again")
    assert_same_run(whole, tmp_path / "again")
    run_training(tiny_corpus, tmp_path / "other", seed=1, steps=5)
    assert not torch.equal(weights(tmp_path / "other", 5)["embedding.weight"], weights(whole)["embedding.weight"])


def test_stopping_and_going_on_changes_nothing(whole: Path, tiny_corpus: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    first = run_training(tiny_corpus, folder, stop_after=7)
    assert (first.step, first.finished) == (7, False)
    assert first.final["step"] == 7  # evidence and summary are of the weights as they are, though none is logged
    assert [line["step"] for line in lines(folder) if line["kind"] == "heldout"] == [0]
    second = run_training(tiny_corpus, folder, stop_after=9)
    assert (second.step, second.finished) == (16, False)
    assert run_training(tiny_corpus, folder).finished
    assert_same_run(whole, folder)
    evidence = [json.loads((run / "evidence.json").read_text()) for run in (whole, folder)]
    assert evidence[0] == evidence[1]


def test_a_language_loss_is_logged_and_goes_on_from_a_checkpoint(tiny_corpus: str, tmp_path: Path) -> None:
    settings = {"language_loss": {"name": "group_dro", "options": {"rate": 0.5}}, "steps": 12}
    run_training(tiny_corpus, tmp_path / "whole", **settings)
    run_training(tiny_corpus, tmp_path / "parts", **settings, stop_after=7)
    run_training(tiny_corpus, tmp_path / "parts", **settings)
    assert_same_run(tmp_path / "whole", tmp_path / "parts", 12)
    last = [line for line in lines(tmp_path / "parts") if line["kind"] == "train"][-1]["languages"]
    factors = [figures["loss_factor"] for figures in last.values()]
    assert min(factors) < 1 < max(factors)


EVERYTHING: dict[str, Any] = {
    "steps": 12,
    "rows": 16,
    "model": {
        "width": 16, "layers": 2, "heads": 2, "gate": "input", "norm_gains": True, "adapter_power": 0.5,
        "embedding_scaling": "sqrt",
    },
    "objective": {
        "kind": "mixed", "masked_share": 0.5, "label_smoothing": 0.05, "goldfish": {"context": 3, "after": 1},
    },
    "optimiser": {"decay_growth": 2.0, "layer_decay": 0.9},
    "dropout": {"rate": 0.05, "growth": 0.5, "after": 0.5},
    "layer_drop": {"rate": 0.5, "final": 0.5},
    "average": {"decay": 0.9},
    "heldout": {"rows": None},
}  # fmt: skip


def test_with_everything_on_stopping_and_going_on_changes_nothing(tiny_corpus: str, tmp_path: Path) -> None:
    run_training(tiny_corpus, tmp_path / "whole", **EVERYTHING)
    run_training(tiny_corpus, tmp_path / "parts", **EVERYTHING, stop_after=7)
    run_training(tiny_corpus, tmp_path / "parts", **EVERYTHING)
    assert_same_run(tmp_path / "whole", tmp_path / "parts", 12)
    trained = [line for line in lines(tmp_path / "whole") if line["kind"] == "train"]
    assert trained[0]["weight_decay"] == 0.1
    assert 0.1 < trained[1]["weight_decay"] < trained[2]["weight_decay"] <= 3.0
    assert 0.05 <= trained[0]["dropout"] < trained[2]["dropout"] <= 0.3
    # Held-out figures are those of the mean of the weights, in training and afterwards.
    final = evaluate(tmp_path / "whole", tiny_corpus)
    last = lines(tmp_path / "whole")[-1]
    assert last["kind"] == "heldout"
    assert final["languages"]["ell_Grek"]["bits_per_byte"] == last["languages"]["ell_Grek"]["bits_per_byte"]


def test_muon_goes_on_from_a_checkpoint(tiny_corpus: str, tmp_path: Path) -> None:
    settings = {"optimiser": {"kind": "muon", "muon": {"learning_rate": 2e-3}, "decay_growth": 2.0}, "steps": 8}
    run_training(tiny_corpus, tmp_path / "whole", **settings)
    run_training(tiny_corpus, tmp_path / "parts", **settings, stop_after=5)
    run_training(tiny_corpus, tmp_path / "parts", **settings)
    assert_same_run(tmp_path / "whole", tmp_path / "parts", 8)
    saved = load_file(tmp_path / "whole" / "checkpoints" / "00000008" / "optimizer.safetensors")
    assert "blocks.0.qkv.weight:momentum_buffer" in saved


def test_steps_may_have_more_and_more_rows(tiny_corpus: str, tmp_path: Path) -> None:
    settings = {"rows": 8, "batch_growth": {"start": 0.25, "multiple": 2}, "steps": 8, "log": {"every": 1}}
    run_training(tiny_corpus, tmp_path / "whole", **settings)
    run_training(tiny_corpus, tmp_path / "parts", **settings, stop_after=5)
    run_training(tiny_corpus, tmp_path / "parts", **settings)
    assert_same_run(tmp_path / "whole", tmp_path / "parts", 8)
    rows = [line["tokens"] // 32 for line in lines(tmp_path / "whole") if line["kind"] == "train"]
    # 8 * (t / 4 + 3 t^2 / 64), cut to even numbers
    assert rows == [2, 4, 8, 14, 18, 24, 32, 40]


def test_a_finished_run_is_left_as_it_is(whole: Path, tiny_corpus: str) -> None:
    before = lines(whole)
    calls: list[Any] = []
    summary = run_training(tiny_corpus, whole, progress=lambda *call: calls.append(call))
    assert summary.finished
    assert calls == []
    assert lines(whole) == before


def test_starting_anew(whole: Path, tiny_corpus: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run_training(tiny_corpus, folder, seed=1, stop_after=6)
    (folder / "recipe.yaml").write_text("seed: 0\n")
    run_training(tiny_corpus, folder, resume=False)
    assert_same_run(whole, folder)
    assert (folder / "recipe.yaml").exists()  # not the training's own file


def test_starting_anew_with_settings_that_do_not_fit_leaves_the_old_run(tiny_corpus: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run_training(tiny_corpus, folder, stop_after=6)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(ConfigurationError, match="xxx_Latn"):
        train(
            tiny_corpus,
            str(folder),
            TrainConfig.model_validate(SETTINGS),
            SamplerConfig.model_validate({**SAMPLER, "languages": ["xxx_Latn"]}),
            tokenizer="bytes",
            seed=0,
            resume=False,
        )
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


SCRIPT = """
    import os, signal, sys
    from sampler.config import SamplerConfig
    from trainer.config import TrainConfig
    from trainer.loop import train

    corpus, folder, settings, sampler, at = sys.argv[1:]
    def progress(stage, done, total):
        if done == int(at):
            os.kill(os.getpid(), signal.SIGKILL)
    train(
        corpus, folder, TrainConfig.model_validate_json(settings), SamplerConfig.model_validate_json(sampler),
        tokenizer="bytes", seed=0, progress=progress,
    )
"""


def killed_in_a_process(
    corpus: str, folder: Path, at: int, settings: dict[str, Any] | None = None, sampler: dict[str, Any] | None = None
) -> subprocess.CompletedProcess[str]:
    """Train in a process of its own that is killed when it has done so many steps."""
    arguments = [corpus, str(folder), json.dumps(settings or SETTINGS), json.dumps(sampler or SAMPLER), str(at)]
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_a_killed_run_goes_on_to_the_same_weights(whole: Path, tiny_corpus: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    killed = killed_in_a_process(tiny_corpus, folder, at=13)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in sorted((folder / "checkpoints").iterdir())] == ["00000005", "00000010"]
    assert lines(folder)[-1]["step"] == 12  # logged after the checkpoint; to be written again, once
    assert run_training(tiny_corpus, folder).finished
    assert_same_run(whole, folder)


def test_sigterm_saves_and_ends(whole: Path, tiny_corpus: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"

    def terminate(stage: str, done: int, total: int) -> None:
        if done == 12:
            os.kill(os.getpid(), signal.SIGTERM)

    summary = run_training(tiny_corpus, folder, progress=terminate)
    assert (summary.step, summary.finished) == (13, False)
    assert weights(folder, 13)
    run_training(tiny_corpus, folder)
    assert_same_run(whole, folder)


def test_other_settings_are_refused(whole: Path, tiny_corpus: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"rows was 4, now 5.*steps was 25, now 26"):
        run_training(tiny_corpus, whole, rows=5, steps=26)
    with pytest.raises(ConfigurationError, match="seed was 0, now 9"):
        run_training(tiny_corpus, whole, seed=9)


def test_settings_that_leave_the_result_alone_may_change(whole: Path, tiny_corpus: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run_training(tiny_corpus, folder, stop_after=10)
    run_training(tiny_corpus, folder, checkpoint={"every": 25, "keep": 1}, log={"every": 25, "tensorboard": False})
    assert all(torch.equal(value, weights(whole)[name]) for name, value in weights(folder).items())


def test_a_run_keeps_to_its_snapshot(build_corpus: Any, tmp_path: Path) -> None:
    corpus = build_corpus(tmp_path / "corpus", {"eng_Latn": 20, "swh_Latn": 10})
    run_training(corpus, tmp_path / "whole", steps=8)
    run_training(corpus, tmp_path / "run", steps=8, stop_after=5)
    old = read_snapshot(corpus)
    fewer = [file for file in old.files if file.lang == "eng_Latn"]
    languages = {"eng_Latn": old.languages["eng_Latn"]}
    commit(
        Storage(corpus), old.model_copy(update={"number": 2, "parent": 1, "files": fewer, "languages": languages}), {}
    )
    run_training(corpus, tmp_path / "run", steps=8)
    assert lines(tmp_path / "run") == lines(tmp_path / "whole")


class Led(World):
    """A process whose leader opened snapshot 1."""

    def from_leader(self, text: str) -> str:
        return "[1]"


def test_all_processes_read_the_snapshot_that_the_leading_one_found(build_corpus: Any, tmp_path: Path) -> None:
    corpus = build_corpus(tmp_path / "corpus", {"eng_Latn": 20})
    commit(Storage(corpus), read_snapshot(corpus).model_copy(update={"number": 2, "parent": 1}), {})
    arguments = (TrainConfig.model_validate(SETTINGS), SamplerConfig.model_validate(SAMPLER), "bytes", 0)
    for process, expected in ((World(0, 1, CPU), (2,)), (Led(0, 1, CPU), (1,))):
        session = Session(corpus, tmp_path / "run", *arguments, threads=1, snapshot=None, processes=process)
        assert session.stream.snapshots == expected


def test_a_stage_joins_a_snapshot_with_another_language(build_corpus: Any, tmp_path: Path) -> None:
    corpus = build_corpus(tmp_path / "corpus", {"eng_Latn": 20, "swh_Latn": 10, "ell_Grek": 5})
    whole = read_snapshot(corpus)
    fewer = {
        "files": [file for file in whole.files if file.lang != "ell_Grek"],
        "languages": {lang: known for lang, known in whole.languages.items() if lang != "ell_Grek"},
    }
    commit(Storage(corpus), whole.model_copy(update={"number": 2, "parent": 1, **fewer}), {})
    commit(Storage(corpus), whole.model_copy(update={"number": 3, "parent": 2}), {})
    commit(Storage(corpus), whole.model_copy(update={"number": 4, "parent": 3, **fewer}), {})
    stages = [
        {"name": "before", "tokens": 8 * 32 * 2},
        {"name": "after", "snapshot": 3, "mixture": "uniform"},
    ]
    sampler = SamplerConfig.model_validate({**SAMPLER, "stages": stages})

    def run(folder: Path, stop_after: int | None = None) -> Summary:
        config = TrainConfig.model_validate({**SETTINGS, "steps": 12, "language_loss": {"name": "focal"}})
        return train(corpus, str(folder), config, sampler, tokenizer="bytes", seed=0, stop_after=stop_after)

    run(tmp_path / "whole")
    run(tmp_path / "parts", 3)
    run(tmp_path / "parts")
    assert_same_run(tmp_path / "whole", tmp_path / "parts", 12)
    evidence = json.loads((tmp_path / "whole" / "evidence.json").read_text())
    # Four blocks of 8 rows follow the two of the first stage: a third of theirs is the new language's.
    assert evidence["ell_Grek"]["train_tokens_seen"] == pytest.approx(4 * 8 * 32 / 3, abs=32)
    assert evidence["ell_Grek"]["heldout_bits_per_byte"] > 0
    early = [line for line in lines(tmp_path / "whole") if line["kind"] == "train" and line["step"] == 4]
    assert "ell_Grek" not in early[0]["languages"]


class Nothing(Config):
    """No options."""


def diverging(moment: Moment, options: Any, memory: Any) -> Penalty:
    """Infinite in the calls that are listed, as a stand-in for a diverging loss."""
    DIVERGE["calls"] += 1
    return Penalty(moment.outputs.hidden.sum() * (float("inf") if DIVERGE["calls"] in DIVERGE["at"] else 0.0))


DIVERGE: dict[str, Any] = {}
regularisers.register("test-diverging", Nothing, lambda: diverging)


def test_steps_without_finite_loss_are_skipped_and_reported(
    tiny_corpus: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    DIVERGE.update(calls=0, at=[3, 4, 7])
    summary = run_training(tiny_corpus, tmp_path, steps=9, max_skipped=3, regularisers=[{"name": "test-diverging"}])
    assert summary.finished
    assert summary.skipped == 3
    counted = {line["step"]: line["skipped"] for line in lines(tmp_path) if line["kind"] == "train"}
    assert counted == {4: 2, 8: 3, 9: 3}
    assert [record.args for record in caplog.records if record.name == "trainer.run.session"] == [(3,), (4,), (7,)]
    skipped = [line for line in lines(tmp_path) if line["kind"] == "skipped"]
    assert [(line["step"], line["first_row"], line["end_row"]) for line in skipped] == [
        (3, 8, 12),
        (4, 12, 16),
        (7, 24, 28),
    ]
    for line in skipped:
        assert line["languages"]
        assert {figures["not_finite"] for figures in line["languages"].values()} == {0}
        assert line["penalties"] == {"test-diverging": "not finite"}
    assert summary.tokens == 6 * 4 * 32
    assert all(torch.isfinite(value).all() for value in weights(tmp_path, 9).values())


def test_too_many_in_a_row_end_the_run(tiny_corpus: str, tmp_path: Path) -> None:
    DIVERGE.update(calls=0, at=range(4, 100))
    with pytest.raises(TrainingError, match="not finite in 3 steps in a row, the last of them step 6"):
        run_training(tiny_corpus, tmp_path, max_skipped=3, regularisers=[{"name": "test-diverging"}])


def test_no_tokens_yet(tiny_corpus: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no tokens of tokenizer 'main'"):
        train(tiny_corpus, str(tmp_path), TrainConfig(), SamplerConfig(), tokenizer="main", seed=0)


def test_torch_is_left_as_it_was(tiny_corpus: str, tmp_path: Path) -> None:
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), signal.getsignal(signal.SIGTERM))
    run_training(tiny_corpus, tmp_path, steps=1)
    assert before == (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        signal.getsignal(signal.SIGTERM),
    )


@pytest.mark.parametrize("objective", ["causal", "masked"])
def test_learns(tiny_corpus: str, tmp_path: Path, objective: str) -> None:
    summary = run_training(tiny_corpus, tmp_path, steps=60, objective={"kind": objective})
    start = lines(tmp_path)[0]
    assert summary.final["objective"] == start["objective"] == objective
    for lang, figures in summary.final["languages"].items():
        assert figures["bits_per_byte"] < start["languages"][lang]["bits_per_byte"] - 1, lang


def test_evaluation_computes_attention_as_training_does(
    tiny_corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = set()

    def spy(*arguments: Any) -> Work:
        seen.add(arguments[4])
        return make_work(*arguments)

    monkeypatch.setattr("trainer.evaluate.make_work", spy)
    run_training(tiny_corpus, tmp_path, steps=1, attention="dense")
    assert seen == {"dense"}
