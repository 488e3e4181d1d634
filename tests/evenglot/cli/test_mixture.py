"""``evenglot mixture``: what a run samples, and asking for something else."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sampler.feedback import requests

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def training(tmp_path: Path) -> Path:
    """A run that trains, as far as its folder tells."""
    requests.set_now(tmp_path, 96, 12, {"eng_Latn": 0.6, "swh_Latn": 0.3, "tgl_Latn": 0.1})
    return tmp_path


def result(cli: Run, *arguments: object) -> Any:
    found = cli("mixture", *arguments, "--json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_what_a_run_samples_now(cli: Run, training: Path) -> None:
    assert result(cli, training) == {
        "run": str(training),
        "asked": None,
        "row": 96,
        "block": 12,
        "shares": {"eng_Latn": 0.6, "swh_Latn": 0.3, "tgl_Latn": 0.1},
        "requests": [],
    }


def test_asking_for_shares(cli: Run, training: Path) -> None:
    found = result(cli, training, "--set", "sw=0.4", "--set", "tgl_Latn=0.2", "--reason", "still learning")
    assert found["asked"] == 1
    waiting = {
        "number": 1,
        "shares": {"swh_Latn": 0.4, "tgl_Latn": 0.2},
        "reason": "still learning",
        "status": "pending",
    }
    assert found["requests"] == [waiting]
    requests.answer(training, 1, 16, None)
    assert result(cli, training)["requests"] == [waiting | {"status": "applied", "block": 16}]


def test_shares_from_a_file_and_for_people(cli: Run, training: Path, tmp_path: Path) -> None:
    (tmp_path / "shares.yaml").write_text("eng_Latn: 0.5\nswh_Latn: 0.25\n")
    found = cli("mixture", training, "--file", tmp_path / "shares.yaml", "--set", "swh_Latn=0.5")
    assert found.returncode == 0, found.stderr
    assert "request 1 waits for the run's next decision block" in found.stdout
    assert "eng_Latn=0.5, swh_Latn=0.5" in found.stdout
    requests.answer(training, 1, 16, "the shares come to 2")
    shown = cli("mixture", training).stdout
    assert "refused at block 16: the shares come to 2" in shown
    assert "60.000%" in shown


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("swh_Latn", "--set swh_Latn is no LANG=SHARE"),
        ("swh_Latn=much", "--set swh_Latn=much is no LANG=SHARE"),
        ("deu_Latn=0.1", "deu_Latn has no training tokens in this run"),
        ("swh_Latn=1.5", "the share 1.5 of swh_Latn is none"),
    ],
)
def test_what_cannot_be_is_said_at_once(cli: Run, training: Path, pair: str, message: str) -> None:
    found = cli("mixture", training, "--set", pair)
    assert found.returncode == 2
    assert message in found.stderr
    assert requests.read(training) == []


def test_a_folder_that_is_no_run(cli: Run, tmp_path: Path) -> None:
    found = cli("mixture", tmp_path)
    assert found.returncode == 3
    assert "is no training run that has begun" in found.stderr
