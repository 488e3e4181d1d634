from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from corpus.errors import ConfigurationError
from evenglot.demo import run
from evenglot.demo.run import ARMS, run_demo
from evenglot.recipe.load import load_recipe

Run = Callable[..., subprocess.CompletedProcess[str]]
DEMO = Path(__file__).resolve().parents[3] / "evenglot" / "demo"


@contextmanager
def silent(_: str) -> Iterator[Callable[[str, int, int], None]]:
    yield lambda stage, done, total: None


def test_the_arms_differ_in_the_mixture_alone() -> None:
    plain, balanced = (load_recipe(DEMO / ARMS[arm]) for arm in ("proportional", "balanced"))
    assert (plain.sampler.mixture, balanced.sampler.mixture) == ("proportional", "unimax")
    assert [entry.name for entry in balanced.train.regularisers] == ["deviation"]
    assert plain.sampler.model_copy(update={"mixture": "unimax"}) == balanced.sampler
    assert plain.model_copy(update={"run": balanced.run, "sampler": balanced.sampler}) == balanced


def test_every_input_of_the_recipe_ships() -> None:
    for source in load_recipe(DEMO / "recipe.yaml").inputs:
        assert (DEMO / "sample" / Path(source.path).name).is_file(), source.path


def test_every_model_of_the_recipe_ships() -> None:
    for folder in load_recipe(DEMO / "recipe.yaml").augment.translation.models:
        assert (DEMO / folder / "model.bin").is_file(), folder


def test_held_out_text_is_natural_in_both_arms() -> None:
    """Both arms read one corpus, so that synthetic text is the same for both; none of it is ever held out."""
    plain, balanced = (load_recipe(DEMO / ARMS[arm]) for arm in ("proportional", "balanced"))
    assert plain.augment == balanced.augment
    assert balanced.augment.enabled
    assert balanced.augment.languages == ("afr_Latn",)


def test_augmentation_is_left_out_and_said_so_where_a_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run._missing() is None
    monkeypatch.setattr(run, "find_spec", lambda name: None if name == "sentencex" else object())
    assert run._missing() == "sentencex"


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigurationError, match="is not empty and holds no demo"):
        run_demo(str(tmp_path), fresh=True, reporter=silent, note=print)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.slow
def test_the_demo_from_raw_files_to_report_and_once_more(evenglot: Run, tmp_path: Path) -> None:
    output = tmp_path / "demo"
    first = evenglot("demo", "--output", output, "--quick", "--json", "--workers", 1, timeout=300)
    assert first.returncode == 0, first.stderr
    result = json.loads(first.stdout)
    ledger = result["ledger"]
    assert ledger["read"] == ledger["kept"] + ledger["rejected"] + ledger["unreadable"]
    truth = [json.loads(line) for line in (DEMO / "sample" / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    assert ledger["read"] == len(truth)
    assert ledger["unreadable"] > 0
    assert 0 < result["synthetic"]["kept"] < result["synthetic"]["candidates"]
    assert set(result["evaluations"]) == {"proportional", "balanced"}
    languages = {record["lang"] for record in truth} - {"zxx"}
    for evaluation in result["evaluations"].values():
        assert set(evaluation["languages"]) == languages
    page = (output / "report.html").read_text(encoding="utf-8")
    assert 'id="synthetic"' in page
    assert "proportional" in page
    assert "balanced" in page

    shards = {path: path.read_bytes() for path in (output / "corpus").rglob("*.arrow")}
    again = evenglot("demo", "--output", output, "--quick", "--json", "--workers", 1, timeout=300)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["evaluations"] == result["evaluations"]
    assert json.loads(again.stdout)["synthetic"] == result["synthetic"]
    assert json.loads(again.stdout)["ledger"] == ledger
    assert {path: path.read_bytes() for path in (output / "corpus").rglob("*.arrow")} == shards

    whole = evenglot("verify", output / "corpus", "--resume", "--set", "sampler.row_tokens=128", "--json")
    assert whole.returncode == 0, whole.stderr
    checks = {check["name"]: check for check in json.loads(whole.stdout)["order"]["checks"]}
    assert {name: check["problems"] for name, check in checks.items() if check["problems"]} == {}
    assert {name for name, check in checks.items() if check["passed"]} == {
        "resume", "dealing", "stopped twice", "shares", "passes",
    }  # fmt: skip
