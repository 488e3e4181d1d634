"""Figures of the ablation: pairs of runs, their uncertainty, and files that are joined."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks import ablation
from benchmarks.ablation import ARMS, main
from benchmarks.ablation_table import cell, differences, effect, merge, noise, table
from trainer.config import TrainConfig


def run(arm: str, seed: int, bits: float, **more: Any) -> dict[str, Any]:
    group = {"heldout_bits_per_byte": bits, "gap_bits_per_byte": bits / 10, "repeats": 2.0}
    other = {**group, "heldout_bits_per_byte": bits + 1}
    return {"arm": arm, "seed": seed, "repeated": group, "others": other, "cpu_seconds": 10.0 * bits, **more}


def result(*runs: dict[str, Any], **more: Any) -> dict[str, Any]:
    arms: dict[str, Any] = {one["arm"]: {} for one in runs}
    machine = {"processor": "p", "load": [1.0, 1.0, 1.0], "versions": {"torch": "2"}}
    same = {"benchmark": "ablation", "setting": {"steps": 4}, "repeated": ["a"], "others": ["b"], "base": {"rows": 8}}
    return {**same, "machine": machine, "arms": arms, "runs": list(runs), **more}


def test_an_effect_is_mean_standard_error_and_spread() -> None:
    found = effect([-0.03, -0.01])
    assert found.each == (-0.03, -0.01)
    assert found.mean == pytest.approx(-0.02)
    assert found.error == pytest.approx(0.01)
    assert found.spread == pytest.approx(0.02)
    assert math.isnan(effect([0.5]).error)


def test_no_effect_is_seen_within_spread_or_noise() -> None:
    assert not effect([-0.03, -0.005]).seen(0.0)
    assert effect([-0.03, -0.02]).seen(0.0)
    assert not effect([-0.03, -0.02]).seen(0.04)


def test_brackets_mark_that_no_effect_is_seen() -> None:
    assert cell(effect([-0.03, -0.02]), 0.0) == "-0.025 ± 0.005"
    assert cell(effect([-0.03, 0.01]), 0.0) == "(-0.010 ± 0.020)"
    assert cell(effect([0.5]), 0.0) == "+0.500"


def test_differences_are_between_runs_of_one_seed() -> None:
    runs = [run("base", 0, 2.0), run("x", 1, 3.5), run("base", 1, 3.0), run("x", 0, 2.25), run("x", 7, 9.0)]
    found = differences(runs)
    assert list(found) == ["x"]
    assert found["x"]["repeated"].each == (0.25, 0.5)
    assert found["x"]["others"].each == (0.25, 0.5)
    assert found["x"]["gap"].each == (0.025, 0.05)
    assert found["x"]["time"] == pytest.approx((1.125 + 3.5 / 3) / 2)


def test_figures_of_another_objective_are_not_compared() -> None:
    runs = [run("base", 0, 2.0), run("masked", 0, 1.0, objective="masked"), run("x", 0, 1.0)]
    assert list(differences(runs)) == ["x"]


def test_noise_is_the_usual_spread_of_the_arms() -> None:
    runs = [run("base", 0, 2.0), run("base", 1, 2.0)]
    for arm, spread in (("x", 0.0), ("y", 0.5), ("z", 0.25)):
        runs += [run(arm, 0, 2.0), run(arm, 1, 2.0 + spread)]
    assert noise(differences(runs), "repeated") == 0.25
    assert noise({}, "repeated") == 0.0


def test_merged_runs_are_in_it_once() -> None:
    first = result(run("base", 0, 2.0), run("x", 0, 1.0))
    again = {**run("base", 0, 2.0), "cpu_seconds": 99.0}
    second = result(again, run("base", 1, 2.5), machine={**first["machine"], "load": [9.0, 9.0, 9.0]})
    merged = merge([first, second])
    assert [(one["arm"], one["seed"]) for one in merged["runs"]] == [("base", 0), ("x", 0), ("base", 1)]
    assert merged["runs"][0]["cpu_seconds"] == 20.0
    assert merged["arms"] == {"base": {}, "x": {}}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"setting": {"steps": 5}}, "file 2 differs from file 1 in 'setting'"),
        ({"machine": {"processor": "q", "versions": {}}}, "file 2 was measured on another machine"),
        ({"arms": {"base": {"rows": 1}}}, "file 2 has other settings for the arm 'base'"),
        ({"runs": [run("base", 0, 2.5)]}, "file 2 has other figures for 'base' with seed 0"),
    ],
)
def test_results_that_cannot_be_compared_are_refused(other: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        merge([result(run("base", 0, 2.0)), {**result(run("base", 1, 2.0)), **other}])


def test_table_compares_with_base_and_with_no_adapters() -> None:
    runs = [run("base", 0, 2.0), run("no adapters", 0, 2.5), run("x", 0, 1.5)]
    lines = table(result(*runs)).splitlines()
    assert lines[2] == "| no adapters | +0.500 | +0.500 | +0.050 |  | 1.25 |"
    assert lines[3] == "| x | -0.500 | -0.500 | -0.050 | -1.000 | 0.75 |"
    assert lines[-1] == "| 0 | 2.000 | 3.000 | 0.200 | 20 |"


def test_table_of_objectives_shows_each_figure_that_there_is() -> None:
    masked = {"repeated": {"bits_per_byte": 4.0}, "others": {"bits_per_byte": 5.0}}
    runs = [run("base", 0, 2.0), run("mixed", 0, 2.5, masked=masked), run("masked", 0, 9.0, objective="masked")]
    runs[2]["masked"] = masked
    lines = table(result(*runs)).splitlines()
    assert lines[-3:] == [
        "| base | 2.000 | 3.000 |  |  |",
        "| mixed | 2.500 | 3.500 | 4.000 | 5.000 |",
        "| masked |  |  | 4.000 | 5.000 |",
    ]


def test_files_are_merged_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (0, 1):
        content = result(run("base", number, 2.0), run("x", number, 2.5))
        (tmp_path / f"{number}.json").write_text(json.dumps(content), encoding="utf-8")
    files = [str(tmp_path / f"{number}.json") for number in (0, 1)]
    assert main(["--merge", *files, "--json", str(tmp_path / "both.json")]) == 0
    assert "| x | +0.500 ± 0.000 |" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "both.json").read_text(encoding="utf-8"))["runs"]) == 4


def test_contradicting_files_end_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (0, 1):
        content = result(run("base", 0, 2.0 + number))
        (tmp_path / f"{number}.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["--merge", str(tmp_path / "0.json"), str(tmp_path / "1.json")])
    assert ended.value.code == 2
    assert "file 2 has other figures for 'base' with seed 0" in capsys.readouterr().err


def test_arms_can_be_named_in_a_list_with_commas() -> None:
    assert not [name for name in ARMS if "," in name or name != name.strip()]


def test_arms_are_settings_that_a_recipe_may_have() -> None:
    for name, changes in ARMS.items():
        assert TrainConfig.model_validate(changes) is not None, name


def test_a_run_that_is_stopped_is_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped:
        finished = False
        step = 3

    monkeypatch.setattr(ablation, "train", lambda *_, **__: Stopped())
    setting = ablation.Setting(steps=4)
    start = ablation.base(setting, "8x1x1")
    with pytest.raises(SystemExit, match="stopped in step 3 of 'base' with seed 0"):
        ablation.run(str(tmp_path), "spm", setting, start, "base", 0, ["a"], ["b"])
