from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import InputError
from evenglot.report.config import ReportConfig
from evenglot.report.points import thinned
from evenglot.report.runs import load_run, load_runs

CONFIG = ReportConfig()


def train(step: int, loss: float) -> str:
    languages = {"eng_Latn": {"loss": loss, "tokens": 10, "seen_tokens": 10 * step, "repeats": 0.1}}
    row = {"kind": "train", "step": step, "tokens": step * 10, "loss": loss, "tokens_per_second": 100.0}
    return json.dumps(row | {"languages": languages, "penalties": {"deviation": {"value": loss / 10, "strength": 1.0}}})


def heldout(step: int, bits: float) -> str:
    languages = {"eng_Latn": {"bits_per_byte": bits}, "heb_Hebr": {"bits_per_byte": bits + 1}}
    row = {"kind": "heldout", "step": step, "tokens": step * 10, "objective": "causal", "languages": languages}
    return json.dumps(row | {"macro_bits_per_byte": bits + 0.5, "micro_bits_per_byte": bits + 0.1})


def write(root: Path, *lines: str) -> str:
    root.mkdir(parents=True, exist_ok=True)
    (root / "metrics.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return str(root)


def test_log_alone(tmp_path: Path) -> None:
    run = load_run(write(tmp_path, train(1, 5.0), heldout(1, 4.0), train(2, 3.0), heldout(2, 2.0)), CONFIG)
    assert run.loss == [(10.0, 5.0), (20.0, 3.0)]
    assert run.losses == {"eng_Latn": [(10.0, 5.0), (20.0, 3.0)]}
    assert run.heldout["heb_Hebr"] == [(10.0, 5.0), (20.0, 3.0)]
    assert run.final == {"eng_Latn": 2.0, "heb_Hebr": 3.0}
    assert (run.final_macro, run.final_micro, run.final_from) == (2.5, 2.1, "step 2 of the log")
    assert run.worst == ("heb_Hebr", 3.0)
    assert run.penalties["deviation"].value == [(10.0, 0.5), (20.0, 0.3)]
    assert (run.step, run.tokens, run.tokens_per_second) == (2, 20, 100.0)
    assert run.problems == []


def test_lines_of_other_kinds_are_no_damage_and_stops_are_read(tmp_path: Path) -> None:
    run_path = write(tmp_path, train(1, 5.0), json.dumps({"kind": "skipped", "step": 2}))
    stops = {"eng_Latn": {"early_stop": {"best_step": 40, "stopped_at": 70}}, "heb_Hebr": {}}
    (tmp_path / "evidence.json").write_text(json.dumps(stops), encoding="utf-8")
    run = load_run(run_path, CONFIG)
    assert run.problems == []
    assert {lang: (one.best_step, one.stopped_at) for lang, one in run.evidence.items()} == {
        "eng_Latn": (40, 70),
        "heb_Hebr": (None, None),
    }


def test_a_cut_line_is_named_and_a_repeated_step_counts_once(tmp_path: Path) -> None:
    run = load_run(write(tmp_path, train(1, 5.0), train(2, 4.0), train(2, 3.5), '{"kind": "tra'), CONFIG)
    assert run.loss == [(10.0, 5.0), (20.0, 3.5)]
    assert len(run.problems) == 1
    assert "1 lines could not be read" in run.problems[0]


def test_an_evaluation_of_an_earlier_step_than_the_logs_is_not_the_end(tmp_path: Path) -> None:
    path = write(tmp_path, heldout(1, 4.0), heldout(12, 2.0))
    evaluation = {"checkpoint": "run/checkpoints/00000006", "languages": {"eng_Latn": {"bits_per_byte": 9.0}}}
    (tmp_path / "evaluation.json").write_text(json.dumps(evaluation), encoding="utf-8")
    run = load_run(path, CONFIG)
    assert (run.final, run.final_from) == ({"eng_Latn": 2.0, "heb_Hebr": 3.0}, "step 12 of the log")
    assert "is of step 6, the run went on to step 12" in run.problems[0]
    (tmp_path / "evaluation.json").write_text(json.dumps(evaluation | {"checkpoint": "run/checkpoints/00000012"}))
    assert load_run(path, CONFIG).final == {"eng_Latn": 9.0}


def test_evaluation_wins_over_the_log_and_nan_drops_out(tmp_path: Path) -> None:
    path = write(tmp_path, heldout(1, 4.0), train(1, float("nan")))
    evaluation = {"languages": {"eng_Latn": {"bits_per_byte": 1.5}, "heb_Hebr": {"bits_per_byte": None}}}
    (tmp_path / "evaluation.json").write_text(json.dumps(evaluation | {"macro_bits_per_byte": 1.5}), encoding="utf-8")
    run = load_run(path, CONFIG)
    assert run.final == {"eng_Latn": 1.5}
    assert run.final_from == "evaluation.json"
    assert run.loss == []


def test_damaged_files_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, heldout(1, 4.0))
    (tmp_path / "summary.json").write_text("{", encoding="utf-8")
    (tmp_path / "evidence.json").write_text("[]", encoding="utf-8")
    run = load_run(path, CONFIG)
    assert len(run.problems) == 1
    assert run.evidence == {}
    assert run.mixture == ""


def test_names_are_directories_and_always_differ(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, heldout(1, 1.0)) for name in ("a", "b", "other/a")]
    assert [run.name for run in load_runs(paths[:2], CONFIG)] == ["a", "b"]
    assert [run.name for run in load_runs(paths, CONFIG)] == paths
    assert [run.name for run in load_runs([paths[0], paths[0]], CONFIG)] == [f"{paths[0]} (1)", f"{paths[0]} (2)"]


def test_mixture_is_read_from_summary_or_recipe(tmp_path: Path) -> None:
    path = write(tmp_path, heldout(1, 1.0))
    (tmp_path / "recipe.yaml").write_text("sampler: {mixture: temperature}", encoding="utf-8")
    assert load_run(path, CONFIG).mixture == "temperature"
    (tmp_path / "summary.json").write_text(json.dumps({"mixture": "unimax"}), encoding="utf-8")
    assert load_run(path, CONFIG).mixture == "unimax"
    (tmp_path / "summary.json").unlink()
    (tmp_path / "recipe.yaml").write_text("sampler: [", encoding="utf-8")
    assert load_run(path, CONFIG).mixture == ""


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no training run"):
        load_runs([str(tmp_path)], CONFIG)


@given(st.integers(0, 400), st.integers(2, 60))
def test_thinning_keeps_both_ends_and_the_limit(length: int, limit: int) -> None:
    points = [(float(index), float(index)) for index in range(length)]
    kept = thinned(points, limit)
    assert len(kept) == min(length, limit)
    assert kept == sorted(set(kept))
    if points:
        assert (kept[0], kept[-1]) == (points[0], points[-1])


def test_what_was_sampled(tmp_path: Path) -> None:
    sampled = {
        "kind": "sampler", "step": 4, "tokens": 40, "row": 8, "stage": "late", "stages": {"early": 0, "late": 6},
        "languages": {},
    }  # fmt: skip
    event = {"kind": "mixture", "step": 1, "changed": 2, "reason": "by hand", "shares": {}}
    lines = [json.dumps(line) for line in (event, event | {"step": 2, "changed": 0}, sampled)]
    path = write(tmp_path, train(1, 5.0), train(2, 5.0), train(3, 5.0), *lines)
    packing = {"rows": 8, "documents": 90, "documents_cut_share": 0.1, "tokens_cut_share": 0.2, "waste": 0}
    (tmp_path / "summary.json").write_text(json.dumps({"packing": packing}), encoding="utf-8")
    stages = {"early": {"share_realised": 0.25}, "late": {"share_realised": 0.5}}
    (tmp_path / "evidence.json").write_text(json.dumps({"eng_Latn": {"stages": stages}}), encoding="utf-8")
    run = load_run(path, CONFIG)
    assert run.problems == []
    assert run.windows == [(10.0, {"eng_Latn": 10.0}), (20.0, {"eng_Latn": 10.0}), (30.0, {"eng_Latn": 10.0})]
    assert run.changes == [(10.0, "by hand"), (30.0, "late")]
    assert run.packing == packing
    assert run.evidence["eng_Latn"].stages == {"early": 0.25, "late": 0.5}
    (tmp_path / "summary.json").write_text(json.dumps({"packing": {"rows": 8}}), encoding="utf-8")
    assert load_run(path, CONFIG).packing == {}
