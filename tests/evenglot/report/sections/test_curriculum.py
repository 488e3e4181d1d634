from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evenglot.report.blocks import Figure, Section, Table
from evenglot.report.config import ReportConfig
from evenglot.report.facts import Facts, LanguageEvidence
from evenglot.report.load import load_corpus
from evenglot.report.runs import load_runs
from evenglot.report.sections.context import Context
from evenglot.report.sections.curriculum import curriculum


@pytest.fixture(scope="module")
def made(small_corpus: Path, small_runs: list[str]) -> Context:
    config = ReportConfig()
    return Context(Facts(load_corpus(str(small_corpus), config), load_runs(small_runs, config)), config)


def shown(made: Context, **changes: Any) -> Section | None:
    """The section with some facts of the run changed."""
    run = made.facts.run
    assert run is not None
    return curriculum(replace(made, facts=replace(made.facts, runs=[replace(run, **changes)])))


def evidence(asked: float, got: float, passes: float, stages: Mapping[str, float]) -> LanguageEvidence:
    return LanguageEvidence(1000, passes, None, None, None, asked, got, dict(stages))


def test_shares_passes_and_stages(made: Context) -> None:
    section = shown(
        made,
        windows=[(100.0, {"eng_Latn": 60.0, "heb_Hebr": 40.0}), (200.0, {"heb_Hebr": 100.0})],
        changes=[(100.0, "focused")],
        evidence={
            "eng_Latn": evidence(0.3, 0.302, 0.5, {"broad": 0.6, "focused": 0.0}),
            "heb_Hebr": evidence(0.7, 0.698, 5.5, {"broad": 0.4, "focused": 1.0}),
            "arb_Arab": evidence(0.0, 0.0, 0.0, {}),
        },
        packing={"rows": 64, "documents": 500, "documents_cut_share": 0.02, "tokens_cut_share": 0.05, "waste": 0},
    )
    assert section is not None
    figure, shares, stages, packing = section.blocks
    assert isinstance(figure, Figure)
    assert "focused" in figure.svg
    assert isinstance(shares, Table)
    asked_and_got = {str(row[0].english): (row[2], row[4]) for row in shares.groups[0].rows}  # type: ignore[union-attr]
    assert asked_and_got == {"English": ("30.0\u202f%", "30.2\u202f%"), "Hebrew": ("70.0\u202f%", "69.8\u202f%")}
    assert isinstance(stages, Table)
    assert [column.label for column in stages.columns] == ["Language", "broad", "focused"]
    assert stages.groups[0].rows[0][2] == "–"
    assert isinstance(packing, Table)
    assert packing.groups[0].rows[0][3] == "0"
    assert section.finding.startswith("The share that a language got differs from what was asked for by 0.2")
    assert "Hebrew was seen most often, ×5.5" in section.finding


def test_many_languages_share_one_layer(made: Context) -> None:
    tokens = {f"x{number:02d}_Latn": float(20 - number) for number in range(12)}
    section = shown(made, windows=[(50.0, tokens), (100.0, tokens)], evidence={})
    assert section is not None
    (figure,) = section.blocks
    assert isinstance(figure, Figure)
    assert "5 other languages" in str(figure.key)


def test_without_facts_there_is_no_section(made: Context) -> None:
    assert shown(made, windows=[], evidence={}, packing={}) is None
    assert curriculum(replace(made, facts=replace(made.facts, runs=[]))) is None
