"""``evenglot export``: messages and the result; what is written is tested with the trainer."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_result_is_shown_and_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from evenglot.cli.app import main

    asked = []
    result = {"output": "x", "step": 7, "architecture": "XmodForMaskedLM", "languages": ["a", "b"], "difference": 1e-6}
    monkeypatch.setattr("evenglot.steps.export", lambda *arguments: (asked.append(arguments[1:]), result)[1])
    arguments = ["export", "--run", str(tmp_path), "--to", "transformers", "--output", "out", "--language", "core"]
    assert main(arguments) == 0
    assert asked == [("out", "transformers", "core", None)]
    assert "XmodForMaskedLM with 2 languages, step 7" in capfd.readouterr().out
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["difference"] == 1e-6


def test_a_run_that_is_not_there_is_one_line(cli: Run, tmp_path: Path) -> None:
    found = cli("export", "--run", tmp_path / "none", "--output", tmp_path / "out")
    assert found.returncode != 0
    assert found.stderr.startswith("error: ")
    assert len(found.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
