from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder that looks like a finished run to whoever does not open it."""
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--mode", "shut"], "--mode: Input should be 'frozen' or 'open'"),
        (["--ewc", "1"], "`ewc` is for what moves; set mode to `open`"),
        (["--rate", "0"], "--rate: Input should be greater than 0"),
        (["--start", "relatives"], "relatives are named exactly when"),
        ([], "has no checkpoint"),
    ],
)
def test_mistakes_are_one_line(cli: Run, run: Path, tmp_path: Path, flags: list[str], said: str) -> None:
    found = cli("add-language", "--run", run, "-l", "swh_Latn", "-o", tmp_path / "new", *flags)
    assert found.returncode in (2, 3)
    assert found.stdout == ""
    assert found.stderr.startswith("error: ")
    assert said in found.stderr
    assert not (tmp_path / "new").exists()


def test_the_table_says_what_stayed_and_what_came() -> None:
    from rich.console import Console

    from evenglot.cli.add_language_text import added_text

    found = {
        "old": ["eng_Latn", "tur_Latn", "xho_Latn"],
        "new": ["swh_Latn"],
        "before": {"eng_Latn": 2.0, "tur_Latn": 2.5},
        "after": {"eng_Latn": 2.0, "tur_Latn": 2.625, "swh_Latn": 3.0},
        "before_new": {"swh_Latn": {"core": 4.0, "nearest adapter": 3.5}},
        "start": {"swh_Latn": ["tur_Latn"]},
        "steps": 1000,
        "tokens": 2048,
        "vocabulary": {"before": 100, "after": 130},
        "fertility": {"swh_Latn": {"spm": 3.0, "spm.swh_Latn": 2.0}},
        "old_parameters_equal": False,
    }
    console = Console(width=100, record=True, highlight=False)
    with console.capture() as captured:
        console.print(added_text(json.loads(json.dumps(found)), "out/new"))
    lines = [" ".join(line.split()) for line in captured.get().splitlines() if line.strip()]
    assert lines == [
        "Held-out bits per byte",
        "language name before after change",
        "eng_Latn English 2.0000 2.0000 equal",
        "tur_Latn Turkish 2.5000 2.6250 +0.1250",
        "swh_Latn Swahili, new, core 4.0000 3.0000 -1.0000",
        "swh_Latn Swahili, new, nearest adapter 3.5000 3.0000 -0.5000",
        "start: swh_Latn from tur_Latn",
        "1,000 steps, 2,048 tokens",
        "30 new pieces; swh_Latn tokens per word: 3.00 -> 2.00",
        "old languages' parameters: changed",
        "run: out/new",
    ]
