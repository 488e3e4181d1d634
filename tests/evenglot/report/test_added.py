from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evenglot.report.added import added
from evenglot.report.config import ReportConfig
from evenglot.report.runs import load_run

RECORD: dict[str, Any] = {
    "mode": "open",
    "replay": 0.3,
    "old": ["eng_Latn", "heb_Hebr"],
    "new": ["swh_Latn"],
    "before": {"eng_Latn": 2.0, "heb_Hebr": 2.5},
    "after": {"eng_Latn": 2.0, "heb_Hebr": 2.625, "swh_Latn": 3.0},
    "before_new": {"swh_Latn": {"core": 4.0, "nearest adapter": 3.5}},
    "start": {"swh_Latn": ["heb_Hebr"]},
    "fertility": {"swh_Latn": {"spm": 3.0, "spm.swh_Latn": 2.0}},
    "vocabulary": {"before": 100, "after": 130},
    "old_parameters_equal": False,
}


def test_what_is_read() -> None:
    found = added(RECORD)
    assert found is not None
    assert found.old == {"eng_Latn": (2.0, 2.0), "heb_Hebr": (2.5, 2.625)}
    assert found.pieces == 30
    assert [(one.lang, one.after, list(one.fertility)) for one in found.new] == [("swh_Latn", 3.0, [3.0, 2.0])]


@pytest.mark.parametrize("change", [{"after": None}, {"new": ["fin_Latn"]}, {"replay": "much"}, {"vocabulary": {}}])
def test_a_record_that_is_not_whole_is_left_out(change: dict[str, Any]) -> None:
    assert added({**RECORD, **change}) is None
    assert added({}) is None


def write_run(root: Path, record: dict[str, Any]) -> str:
    root.mkdir()
    (root / "metrics.jsonl").write_text("", encoding="utf-8")
    (root / "continual.json").write_text(json.dumps(record), encoding="utf-8")
    return str(root)


def page(corpus: Path, root: Path, record: dict[str, Any]) -> str:
    from evenglot.report.build import build_report

    run = write_run(root, record)
    return build_report(str(corpus), [run], str(root / "report.html")).read_text(encoding="utf-8")


def test_the_report_says_what_changed(corpus: Path, tmp_path: Path) -> None:
    text = page(corpus, tmp_path / "run", RECORD)
    assert "Added languages" in text
    assert "Swahili came to 2 languages; Hebrew changed most for the worse, by +0.125 bits per byte." in text
    assert "30 pieces were added to the vocabulary" in text
    assert "3.00 → 2.00" in text


def test_the_report_says_that_nothing_changed(corpus: Path, tmp_path: Path) -> None:
    frozen = {**RECORD, "mode": "frozen", "after": {**RECORD["before"], "swh_Latn": 3.0}, "old_parameters_equal": True}
    text = page(corpus, tmp_path / "run", frozen)
    assert "unchanged to the last bit" in text
    assert "The core moved" not in text


def test_an_ordinary_run_has_no_such_chapter(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text("", encoding="utf-8")
    assert load_run(str(tmp_path), ReportConfig()).added is None
