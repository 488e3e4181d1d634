from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import pipeline.dry_run
from evenglot.cli.estimated import estimated_text, number
from pipeline.dry_run import Estimate, Language
from pipeline.estimate import Interval

ESTIMATE = Estimate(
    input_bytes=5_000_000_000,
    sample_share=0.0031,
    sample_ranges=60,
    sample_documents=5_021,
    documents=Interval(1_600_000, 1_512_345, 1_700_000),
    kept=Interval(1_500_000, 1_400_000, 1_600_000),
    text_bytes=Interval(4e9, 3.5e9, 4.5e9),
    duplicates=Interval(60_000, 0, 200_000),
    reasons={f"filter/reason_{n}": Interval(1000 - n, 500, 2000) for n in range(10)},
    languages={f"l{n:02}_Latn": Language(Interval(9000, 8000, 10_000), 1e6, 40) for n in range(12)},
    workers=8,
    cpu_seconds=Interval(7200, 6000, 8400),
    wall_seconds=Interval(900, 750, 1050),
    work_bytes=6e9,
    corpus_bytes=4.5e9,
    worker_memory_bytes=350e6,
    driver_memory_bytes=1.3e9,
    cost=Interval(0.08, 0.07, 0.09),
    notes=["compressed files are sampled at their beginning: if they are sorted, the estimate is off"],
)


def test_estimate_in_words() -> None:
    console = Console(width=160, record=True, file=None)
    with console.capture() as captured:
        console.print(estimated_text(ESTIMATE))
    said = [" ".join(line.split()) for line in captured.get().splitlines()]
    assert said[0] == "from 5,021 records in 60 ranges, 0.31% of 5.0 GB; nothing was written"
    assert "records 1,600,000 1,510,000 and 1,700,000" in said
    assert "duplicates removed 60,000 0 and 200,000" in said
    assert "and 2 more reasons in --json" in said
    assert "processor time 2 h 00 min 1 h 40 min and 2 h 20 min" in said
    assert "time with 8 workers 15 min 00 s 12 min 30 s and 17 min 30 s, if free" in said
    assert "cost 0.0800 0.0700 and 0.0900" in said
    assert "disk while it runs 10.5 GB" in said
    assert any(line.startswith("12 languages seen: l00_Latn 9,000, l01_Latn") for line in said)
    assert said[-1].startswith("note: compressed files are sampled")


def test_numbers_have_three_digits() -> None:
    assert [number(value) for value in (0, 7.4, 999.6, 1234, 98_765_432)] == ["0", "7", "1,000", "1,230", "98,800,000"]


def test_command_hands_its_flags_on_and_prints_one_object(
    cli: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def dry_run(inputs: Any, config: Any, **arguments: Any) -> Estimate:
        asked.update(arguments, path=inputs[0].path)
        return ESTIMATE

    monkeypatch.setattr(pipeline.dry_run, "dry_run", dry_run)
    flags = ["prepare", "-i", "data/*.jsonl", "--output", str(tmp_path / "c"), "--dry-run", "--json", "--workers", "8"]
    result = cli(*flags, "--cpu-hour-price", "0.04", "--seed", "5")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["documents"]["expected"] == 1_600_000
    assert (asked["path"], asked["workers"], asked["cpu_hour_price"], asked["seed"]) == ("data/*.jsonl", 8, 0.04, 5)
    assert not (tmp_path / "c").exists()
