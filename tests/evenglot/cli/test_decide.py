"""``evenglot decide``: what other limits would do, without changing anything."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
NOUNS = ["river", "mill", "garden", "harbour", "teacher", "baker", "letter", "window", "station", "kitchen", "bridge"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight documents of about thirty words, one of them twice, one too short, and a record without text."""
    from pipeline.config import PrepareConfig
    from pipeline.prepare import prepare
    from pipeline.sources.config import InputConfig

    root = tmp_path_factory.mktemp("decide")
    rows = []
    for number in range(8):
        one, two, three, four = random.Random(number).sample(NOUNS, 4)
        story = (
            f"When the {one} was closed for the winter, we walked to the old {two} behind the hill and stayed there."
        )
        rows.append({"id": f"k{number}", "text": f"{story} Nobody had seen the {three} or the {four} since then."})
    rows += [{"id": "copy", "text": rows[0]["text"]}, {"id": "short", "text": "The mill is closed."}, {"id": "none"}]
    (root / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = PrepareConfig.model_validate({"deduplicate": {"near": {"enabled": False}}})
    recipe = {"prepare": config.model_dump(mode="json")}
    prepare([InputConfig(path=str(root / "in.jsonl"))], str(root / "out"), config, workers=1, recipe=recipe)
    return root / "out"


def result(cli: Run, *arguments: object) -> Any:
    found = cli("decide", *arguments, "--json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_the_corpus_own_settings_change_nothing(cli: Run, prepared: Path) -> None:
    found = result(cli, prepared)
    assert {name: found[name] for name in ("scored", "unscored", "kept", "back", "gone")} == {
        "scored": 10,
        "unscored": 1,
        "kept": 8,
        "back": 0,
        "gone": 0,
    }
    assert found["changes"] == found["examples"] == []


def test_another_limit_brings_back_and_takes_away(cli: Run, prepared: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in prepared.rglob("*")}
    found = result(cli, prepared, "--set", "prepare.filter.min_words=2", "--set", "prepare.filter.max_words=29")
    assert (found["back"], found["gone"]) == (1, 8)
    assert found["languages"]["eng_Latn"] == {"kept": 8, "back": 1, "gone": 8}
    assert {(change["before"], change["after"]): change["documents"] for change in found["changes"]} == {
        ("filter/too_short", "kept"): 1,
        ("kept", "filter/too_long"): 8,
        ("deduplicate/exact_duplicate", "filter/too_long"): 1,
    }
    recipe = tmp_path / "wide.yaml"
    recipe.write_text("prepare: {filter: {min_words: 2}}\n")
    shown = cli("decide", prepared, "--recipe", recipe).stdout
    assert "0 of 8 documents would go and 1 of those rejected would come back" in shown
    assert "n_words 4 < min_words 8" in shown
    assert before == {path: path.stat().st_mtime_ns for path in prepared.rglob("*")}, "nothing is changed"


def test_one_language(cli: Run, prepared: Path) -> None:
    found = result(cli, prepared, "--lang", "swh_Latn", "--set", "prepare.filter.min_words=2")
    assert (found["scored"], found["back"]) == (0, 0)
    assert result(cli, prepared, "--lang", "English")["kept"] == 8


def test_errors_are_lines(cli: Run, prepared: Path, corpus: Path) -> None:
    misspelt = cli("decide", prepared, "--set", "prepare.filter.max_url=1")
    assert misspelt.returncode == 2
    assert "max_urls" in misspelt.stderr
    bare = cli("decide", corpus)
    assert bare.returncode == 4
    assert "has no scores for" in bare.stderr
    assert "prepare.write.scores: true" in bare.stderr
