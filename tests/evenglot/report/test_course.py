from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evenglot.report.config import ReportConfig
from evenglot.report.course import Conflict, Course
from evenglot.report.facts import Penalty
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
    found = course_of(tmp_path, row)
    told = {name for name, value in vars(found).items() if value}
    assert told == set()


def train_row(step: int, **more: Any) -> dict[str, Any]:
    return {"kind": "train", "step": step, "tokens": step * 100, "loss": 2.0, "languages": {}} | more


def test_gaps_and_both_losses_are_read_where_they_were_compared(tmp_path: Path) -> None:
    def heldout(step: int, gaps: dict[str, Any]) -> dict[str, Any]:
        languages = {"eng_Latn": {"loss": 3.0, "bits_per_byte": 1.0}, "heb_Hebr": {"loss": 4.0, "bits_per_byte": 2.0}}
        return {"kind": "heldout", "step": step, "tokens": step * 100, "languages": languages, "gaps": gaps}

    english = {"eng_Latn": {"train_loss": 2.5, "gap": 0.5}}
    found = course_of(tmp_path, heldout(0, {}), heldout(10, english), heldout(20, english))
    assert found.gaps == {"eng_Latn": [(1000.0, 0.5), (2000.0, 0.5)]}
    assert found.trained == {"eng_Latn": [(1000.0, 2.5), (2000.0, 2.5)]}
    assert found.heldout == {"eng_Latn": [(1000.0, 3.0), (2000.0, 3.0)]}


def test_factors_paths_and_pace(tmp_path: Path) -> None:
    def row(step: int, openness: float) -> dict[str, Any]:
        return train_row(
            step,
            languages={"eng_Latn": {"loss": 2.0, "loss_factor": 0.75}},
            adapters={"eng_Latn": {"norm": 7.5, "deviation": 12.0}},
            gates={"eng_Latn": {"block_0": openness, "block_1": 0.5}},
            tokens_per_second=900.0, mfu=None, peak_memory_bytes=1_000_000, skipped=step // 10,
        )  # fmt: skip

    found = course_of(tmp_path, row(5, 1.0), row(10, 0.25))
    assert found.factors == {"eng_Latn": [(500.0, 0.75), (1000.0, 0.75)]}
    assert found.norms_of == {"eng_Latn": [(500.0, 7.5), (1000.0, 7.5)]}
    assert found.deviations == {"eng_Latn": [(500.0, 12.0), (1000.0, 12.0)]}
    assert found.gates == {"eng_Latn": {"block_0": 0.25, "block_1": 0.5}}
    assert found.openness == {"eng_Latn": [(500.0, 0.75), (1000.0, 0.375)]}
    assert (found.speed, found.mfu) == ([(500.0, 900.0), (1000.0, 900.0)], [])
    assert (found.memory[-1], found.skipped) == ((1000.0, 1_000_000.0), [(500.0, 0.0), (1000.0, 1.0)])


def test_translations_stand_over_the_tokens_of_the_run(tmp_path: Path) -> None:
    pair = {"pairs": 32, "chance": 0.03125, "cosine": 0.5}
    found = course_of(
        tmp_path,
        train_row(10),
        {
            "kind": "parallel", "step": 10, "tokens": 77, "loss": 5.0, "strength": 1.0,
            "languages": {"eng_Latn": {"loss": 4.5, "tokens": 7}}, "passes": {"tlm": {"eng_Latn-heb_Hebr": 0.5}},
        },
        {"kind": "retrieval", "step": 10, "layer": 2, "pairs": {"eng_Latn-heb_Hebr": pair},
         "mean": {"chance": 0.03125, "cosine": 0.5}},
        {"kind": "retrieval", "step": 15, "layer": 2, "pairs": {}, "mean": {"chance": 1.0}},
    )  # fmt: skip
    assert found.translation == [(1000.0, 5.0)]
    assert found.translations == {"eng_Latn": [(1000.0, 4.5)]}
    assert found.passes == {"tlm": {"eng_Latn-heb_Hebr": 0.5}}
    assert found.retrieval == {"chance": [(1000.0, 0.03125)], "cosine": [(1000.0, 0.5)]}
    assert found.searched == {"eng_Latn-heb_Hebr": {"pairs": 32.0, "chance": 0.03125, "cosine": 0.5}}
    assert found.layer == 2


def test_shares_of_penalties(tmp_path: Path) -> None:
    shares = {"value": 0.5, "strength": 0.1, "share_of_loss": 0.02}
    rows = [
        train_row(10, penalties={"deviation": shares}),
        train_row(20, penalties={"deviation": shares | {"share_of_gradient": 0.25}}),
    ]
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert load_run(str(tmp_path), CONFIG).penalties == {
        "deviation": Penalty(
            [(1000.0, 0.5), (2000.0, 0.5)], [(1000.0, 0.1), (2000.0, 0.1)], [(1000.0, 0.02), (2000.0, 0.02)],
            [(2000.0, 0.25)],
        )
    }  # fmt: skip
