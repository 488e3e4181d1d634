from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evenglot.report.config import ReportConfig
from evenglot.report.course import Conflict, Course
from evenglot.report.runs import load_run

CONFIG = ReportConfig()


def course_of(root: Path, *rows: dict[str, Any]) -> Course:
    (root / "metrics.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    run = load_run(str(root), CONFIG)
    assert run.problems == []
    return run.course


def conflict_row(step: int, between: float | None) -> dict[str, Any]:
    return {
        "kind": "conflict", "step": step, "tokens": step * 100,
        "groups": {"Latn": ["eng_Latn"], "Hebr": ["heb_Hebr", "yid_Hebr"]},
        "cosines": {"Latn": {"Latn": 0.5, "Hebr": between}, "Hebr": {"Hebr": 0.25}},
        "norms": {"Latn": 1.5, "Hebr": 2.0}, "shares": {"Latn": 1.25, "Hebr": -0.25}, "blocks": {"0": between},
    }  # fmt: skip


def test_conflict_is_read_and_what_was_not_seen_is_missing(tmp_path: Path) -> None:
    found = course_of(tmp_path, conflict_row(10, None), conflict_row(20, -0.125))
    assert found.conflicts == [
        Conflict(
            10, 1000.0, {"Latn": ["eng_Latn"], "Hebr": ["heb_Hebr", "yid_Hebr"]},
            {("Latn", "Latn"): 0.5, ("Hebr", "Hebr"): 0.25},
        ),
        Conflict(
            20, 2000.0, {"Latn": ["eng_Latn"], "Hebr": ["heb_Hebr", "yid_Hebr"]},
            {("Latn", "Latn"): 0.5, ("Latn", "Hebr"): -0.125, ("Hebr", "Hebr"): 0.25},
        ),
    ]  # fmt: skip
    assert found.conflicts[1].cosine("Hebr", "Latn") == -0.125
    assert found.conflicts[0].cosine("Hebr", "Latn") is None
    assert found.conflicts[1].between == {("Latn", "Hebr"): -0.125}
    assert found.conflicts[1].within == {"Latn": 0.5, "Hebr": 0.25}
    assert found.shares == {"Latn": [(1000.0, 1.25), (2000.0, 1.25)], "Hebr": [(1000.0, -0.25), (2000.0, -0.25)]}
    assert found.norms["Hebr"] == [(1000.0, 2.0), (2000.0, 2.0)]
    assert found.blocks == {"0": [(2000.0, -0.125)]}


def test_a_conflict_line_without_groups_or_figures_is_left_out(tmp_path: Path) -> None:
    empty = {"kind": "conflict", "step": 5, "tokens": 50, "groups": None, "cosines": {"Latn": {"Latn": 0.5}}}
    assert course_of(tmp_path, empty).conflicts == []


def test_a_run_that_logs_none_of_it(tmp_path: Path) -> None:
    row = {"kind": "train", "step": 1, "tokens": 10, "loss": 2.0, "languages": {"eng_Latn": {"loss": 2.0}}}
    assert course_of(tmp_path, row) == Course(conflicts=[])
