"""The mixture while a run goes on: from losses and by hand, through stops and kills."""

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

from corpus.errors import ConfigurationError
from sampler.config import SamplerConfig
from sampler.feedback import requests
from trainer.config import TrainConfig
from trainer.loop import train
from trainer.run.logs import read_metrics
from trainer.run.outcome import Summary
from trainer.run.pace import MEASURED

FEEDBACK: dict[str, Any] = {"policy": "excess", "baseline": "heldout", "every": 4, "delay": 1, "min_tokens": 32}
SETTINGS: dict[str, Any] = {
    "steps": 25,
    "rows": 4,
    "threads": 1,
    "model": {"width": 16, "layers": 1, "heads": 2},
    "log": {"every": 8, "tensorboard": False},
    "checkpoint": {"every": 5},
    "heldout": {"every": 5, "rows": 2},
}


def sampler(**feedback: Any) -> dict[str, Any]:
    return {"row_tokens": 32, "block_rows": 8, "mixture": "temperature", "feedback": {**FEEDBACK, **feedback}}


def run_training(corpus: str, folder: Path, settings: dict[str, Any], **keywords: Any) -> Summary:
    return train(
        corpus,
        str(folder),
        TrainConfig.model_validate(SETTINGS),
        SamplerConfig.model_validate(settings),
        tokenizer="bytes",
        seed=0,
        **keywords,
    )


def lines(folder: Path, kind: str | None = None) -> list[dict[str, Any]]:
    found = [line for line in read_metrics(folder / "metrics.jsonl") if kind in (None, line["kind"])]
    for line in found:
        for name in MEASURED:
            line.pop(name, None)
    return found


def assert_same_run(one: Path, other: Path) -> None:
    assert lines(one) == lines(other)
    first, second = (load_file(run / "checkpoints" / "00000025" / "model.safetensors") for run in (one, other))
    assert all(torch.equal(first[name], second[name]) for name in first)
    states = [json.loads((run / "checkpoints" / "00000025" / "state.json").read_text()) for run in (one, other)]
    assert states[0]["feedback"] == states[1]["feedback"]
    assert states[0]["sampler"] == states[1]["sampler"]


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


def kill_training(corpus: str, folder: Path, settings: dict[str, Any], at: int) -> None:
    """Train in a process of its own that is killed when it has done so many steps."""
    arguments = [corpus, str(folder), json.dumps(SETTINGS), json.dumps(settings), str(at)]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.fixture(scope="module")
def followed(tiny_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("followed") / "run"
    assert run_training(tiny_corpus, folder, sampler()).finished
    return folder


def test_decisions_are_events_with_what_they_came_from(followed: Path) -> None:
    events = lines(followed, "mixture")
    # Decisions hold from rows 32, 64 and 96; they are made after the last step before rows 24, 56 and 88.
    assert [(event["step"], event["block"]) for event in events] == [(6, 4), (14, 8), (22, 12)]
    for event in events:
        assert event["reason"].startswith("feedback excess (")
        assert sum(event["shares"].values()) == pytest.approx(1)
        assert set(event["losses"]) <= {"eng_Latn", "swh_Latn", "ell_Grek"}
        assert event["losses"]
        assert (event["ignored"], event["request"], event["refused"]) == ({}, None, None)
    evidence = json.loads((followed / "evidence.json").read_text())
    assert {lang: known["share_asked_last"] for lang, known in evidence.items()} == events[-1]["shares"]
    found = requests.now(followed)
    assert found is not None
    assert (found["block"], found["shares"]) == (12, events[-1]["shares"])


def test_the_losses_are_those_of_the_steps_since_the_last_decision(tiny_corpus: str, tmp_path: Path) -> None:
    # Without a language that is too rare to be believed, the means of all steps up to the border are those of the log.
    settings = {**SETTINGS, "steps": 8, "log": {"every": 6, "tensorboard": False}}
    train(tiny_corpus, str(tmp_path), TrainConfig.model_validate(settings),
          SamplerConfig.model_validate(sampler(min_tokens=1)), tokenizer="bytes", seed=0)  # fmt: skip
    logged = next(line for line in lines(tmp_path, "train") if line["step"] == 6)
    event = lines(tmp_path, "mixture")[0]
    assert event["losses"] == pytest.approx(
        {lang: figures["loss"] for lang, figures in logged["languages"].items()}, abs=1e-4
    )


def test_stopping_and_going_on_changes_nothing(followed: Path, tiny_corpus: str, tmp_path: Path) -> None:
    for steps in (6, 5, 10):  # right at a decision, between two, and to the step before one
        run_training(tiny_corpus, tmp_path / "run", sampler(), stop_after=steps)
    assert run_training(tiny_corpus, tmp_path / "run", sampler()).finished
    assert_same_run(followed, tmp_path / "run")


def test_a_killed_run_goes_on_to_the_same_decisions(followed: Path, tiny_corpus: str, tmp_path: Path) -> None:
    kill_training(tiny_corpus, tmp_path / "run", sampler(), at=17)
    assert run_training(tiny_corpus, tmp_path / "run", sampler()).finished
    assert_same_run(followed, tmp_path / "run")


def test_a_change_by_hand_is_taken_up_confirmed_and_survives_a_kill(tiny_corpus: str, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    plain = sampler(policy="none", baseline=None)
    run_training(tiny_corpus, whole, plain, stop_after=8)
    assert requests.ask(whole, {"ell_Grek": 0.5}, "too little") == 1
    shutil.copytree(whole, killed)
    assert run_training(tiny_corpus, whole, plain).finished
    assert [request.answer for request in requests.read(whole)] == [{"status": "applied", "block": 8}]
    event = lines(whole, "mixture")
    assert [(line["step"], line["block"], line["request"], line["refused"]) for line in event] == [(14, 8, 1, None)]
    assert event[0]["shares"]["ell_Grek"] == pytest.approx(0.5, rel=0.008)
    assert event[0]["reason"].startswith("by hand: too little (ell_Grek 0.")
    assert event[0]["losses"]

    # Killed after it was applied; the checkpoint that is left is older: it has to be applied at the same block again.
    kill_training(tiny_corpus, killed, plain, at=16)
    shutil.rmtree(killed / "checkpoints" / "00000015")
    assert [request.answer for request in requests.read(killed)] == [{"status": "applied", "block": 8}]
    requests.ask(killed, {"eng_Latn": 0.9}, "asked after the kill; waits for its turn")
    assert run_training(tiny_corpus, killed, plain).finished
    found = lines(killed, "mixture")
    assert found[0] == event[0]
    assert [(line["block"], line["request"]) for line in found] == [(8, 1), (12, 2)]
    assert found[1]["shares"]["eng_Latn"] == pytest.approx(0.9, rel=0.008)


def test_bad_requests_are_refused_and_stop_nothing(tiny_corpus: str, tmp_path: Path) -> None:
    requests.ask(tmp_path, {"swh_Latn": 0.8, "eng_Latn": 0.8}, "too much")
    requests.ask(tmp_path, {"xxx_Latn": 0.5}, "unknown")
    (tmp_path / "mixture" / "000003.json").write_text("{broken")
    assert run_training(tiny_corpus, tmp_path, sampler(policy="none", baseline=None)).finished
    found = requests.read(tmp_path)
    assert [(request.answer or {})["status"] for request in found] == ["refused"] * 3
    assert [(request.answer or {})["block"] for request in found] == [4, 8, 12]
    assert [line["refused"] for line in lines(tmp_path, "mixture")] == [
        "the shares come to 1.6, which is more than 1. Lower some of them",
        "xxx_Latn has no training tokens in this run. Use the tags of the run, for example "
        "ell_Grek, eng_Latn, swh_Latn",
        "the file is no request: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ]
    assert all(line["changed"] == 0 for line in lines(tmp_path, "mixture"))


def test_starting_anew_forgets_requests(tiny_corpus: str, tmp_path: Path) -> None:
    requests.ask(tmp_path, {"swh_Latn": 0.8}, "then")
    run_training(tiny_corpus, tmp_path, sampler(), resume=False, stop_after=7)
    assert requests.read(tmp_path) == []


def test_a_step_that_waits_for_itself_is_refused(tiny_corpus: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="less than the 4 rows of a step"):
        run_training(tiny_corpus, tmp_path, {**sampler(delay=0), "block_rows": 2})


@pytest.mark.slow
def test_two_processes_make_the_same_decisions(tiny_corpus: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    for folder in ("one", "two"):
        requests.ask(tmp_path / folder, {"ell_Grek": 0.4}, "for both")
        requests.ask(tmp_path / folder, {"xxx_Latn": 0.4}, "for none")
    run_training(tiny_corpus, tmp_path / "one", sampler())
    settings = {**SETTINGS, "device": "cpu"}
    arguments = [tiny_corpus, str(tmp_path / "two"), json.dumps(settings), json.dumps(sampler()), "-1"]
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    one, two = (lines(tmp_path / folder, "mixture") for folder in ("one", "two"))
    assert [(event["block"], event["request"], event["refused"]) for event in one] == [
        (event["block"], event["request"], event["refused"]) for event in two
    ]
    assert [event["request"] for event in one] == [1, 2, None]
    for first, second in zip(one, two, strict=True):
        assert first["losses"] == pytest.approx(second["losses"], rel=1e-3)
        assert first["shares"] == pytest.approx(second["shares"], rel=0.02)
