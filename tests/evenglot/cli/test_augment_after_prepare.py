"""``evenglot prepare`` where the recipe says ``augment.enabled``: text comes right after, and again after more text."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from corpus.manifest import read_snapshot
from evenglot.cli.app import main

AFRIKAANS = "afr_Latn"


def texts(lang: str) -> list[str]:
    whole = files("evenglot.demo").joinpath("texts", f"{lang}.txt").read_text(encoding="utf-8")
    return [text.strip() for text in whole.split("\n---\n")]


def write(path: Path, english: slice) -> None:
    rows = [{"id": f"{english.start}-{n}", "text": text} for n, text in enumerate(texts("eng_Latn")[english])]
    if not english.start:
        rows += [{"id": f"a{n}", "text": text} for n, text in enumerate(texts(AFRIKAANS))]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def recipe(folder: Path, enabled: bool) -> Path:
    models = files("evenglot.demo").joinpath("models")
    path = folder / f"{enabled}.yaml"
    augment = {
        "enabled": enabled,
        "languages": [AFRIKAANS],
        "translation": {"models": [str(models.joinpath(name)) for name in ("demo-eng-afr", "demo-afr-eng")]},
        "budget": {"below_share": None, "least_bytes": 100, "total_share": None},
        "parents": {"min_quality": 0.1},
        "calibration": {"documents": 8, "translated": 0},
        "naturalness": {"enabled": False},
    }
    path.write_text(json.dumps({"corpus": str(folder / "corpus"), "augment": augment}))  # JSON is YAML
    return path


@pytest.mark.slow
def test_the_layer_is_made_again_when_text_is_added(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "one.jsonl", slice(0, 30))
    write(tmp_path / "two.jsonl", slice(60, 64))

    def run(name: str, enabled: bool, *more: str) -> dict[str, Any]:
        arguments = ["prepare", "--recipe", str(recipe(tmp_path, enabled)), "--input", str(tmp_path / name)]
        assert main([*arguments, "--json", "--workers", "1", *more]) == 0
        found: dict[str, Any] = json.loads(capfd.readouterr().out)
        return found

    first = run("one.jsonl", True)
    assert (first["snapshot"], first["augmented"]["snapshot"], first["augmented"]["goes_on_with"]) == (1, 2, 1)
    again = run("one.jsonl", True)
    assert (again["unchanged"], again["augmented"]["unchanged"], again["augmented"]["snapshot"]) == (True, True, 2)
    more = run("two.jsonl", True, "--append")
    assert (more["snapshot"], more["goes_on_with"]) == (3, 1)
    assert (more["augmented"]["snapshot"], more["augmented"]["goes_on_with"]) == (4, 3)
    assert not [text for text in more["warnings"] if "synthetic" in text]
    corpus = str(tmp_path / "corpus")
    made = read_snapshot(corpus).languages[AFRIKAANS].synthetic_documents
    write(tmp_path / "three.jsonl", slice(70, 73))
    alone = run("three.jsonl", False, "--append")
    assert "augmented" not in alone
    said = (
        f"the {made:,} synthetic documents of snapshot 4 are not in this one: make them again with `evenglot augment`"
    )
    assert any(text.startswith(said) for text in alone["warnings"]) == bool(made)
