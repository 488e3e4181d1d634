from __future__ import annotations

import json
import os

import pytest

from evenglot.cli.console import Reporter, count, duration, output, progress_line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("read", 4_000, 16_000, 2.0), "read 4,000 of 16,000, 2,000/s, 6.0 s left"),
        (("read", 16_000, 16_000, 8.0), "read 16,000 of 16,000, 2,000/s, took 8.0 s"),
        (("read", 30, 0, 60.0), "read 30, 0.5/s, 1 min 00 s so far"),
        (("read", 0, 10, 5.0), "read 0 of 10, 0.0/s, 5.0 s so far"),
        (("read", 12_000_000, 48_000_000, 10.0), "read 12 M of 48 M, 1.2 M/s, 30 s left"),
    ],
)
def test_progress_line_has_counts_rate_and_time(arguments: tuple[str, int, int, float], line: str) -> None:
    assert progress_line(*arguments) == line


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (185, "3 min 05 s"), (7_800, "2 h 10 min")]
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_count() -> None:
    assert [count(n) for n in (0, 999_999, 4_321_000, 2_500_000_000)] == ["0", "999,999", "4.32 M", "2.5 G"]


def test_reporter_off_a_terminal_prints_few_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(tick / 10 for tick in range(100_000))
    monkeypatch.setattr("evenglot.cli.console.time.monotonic", lambda: next(clock))
    with Reporter("prepare") as progress:
        for done in range(101):
            progress("read", done, 100)
    lines = capsys.readouterr().err.splitlines()
    assert 3 <= len(lines) <= 5  # ten seconds, one line each three, and the last
    assert all(line.startswith("prepare: read ") for line in lines)
    assert lines[-1].startswith("prepare: read 100 of 100, ")


def test_the_rate_counts_neither_the_start_up_nor_what_was_done_before(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Twenty seconds to start, then a run that goes on at step 9,000 of 10,000 with two steps a second.
    clock = iter([0.0, 0.0, 20.0, 20.5, 30.0])
    monkeypatch.setattr("evenglot.cli.console.time.monotonic", lambda: next(clock))
    with Reporter() as progress:
        for done in (9_001, 9_002, 9_021):
            progress("train", done, 10_000)
    assert capsys.readouterr().err.splitlines()[-1] == "train 9,021 of 10,000, 2.0/s, 8 min 10 s left"


def test_the_last_rate_agrees_with_the_time_taken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 0.0, 3.9, 4.0])
    monkeypatch.setattr("evenglot.cli.console.time.monotonic", lambda: next(clock))
    with Reporter() as progress:
        for done in (1, 10):
            progress("evaluate", done, 10)
    assert capsys.readouterr().err.splitlines() == ["evaluate 10 of 10, 2.5/s, took 4.0 s"]


def test_json_output_keeps_everything_else_off_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    with output(True) as show:
        print("a library talks")
        os.write(1, b"so does C\n")
        show({"text": "ok \ud800", "n": 1}, "for people")
    captured = capfd.readouterr()
    assert captured.out.count("\n") == 1
    assert json.loads(captured.out) == {"text": "ok \ud800", "n": 1}
    assert "a library talks" in captured.err
    assert "so does C" in captured.err


def test_text_output_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with output(False) as show:
        show({"n": 1}, "for people")
    assert capsys.readouterr().out == "for people\n"
