"""The chapters on what a run logged about its own course."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evenglot.report.blocks import Figure, Heat, Panels, Section, Table
from evenglot.report.build import render, sections
from evenglot.report.config import ReportConfig
from evenglot.report.course import Course
from evenglot.report.facts import LanguageEvidence, Penalty
from evenglot.report.sections.context import Context
from evenglot.report.sections.paths import paths
from evenglot.report.sections.penalties import factors, penalties
from evenglot.report.sections.speed import speed
from evenglot.report.sections.translations import translations
from evenglot.report.sections.widening import widening

Given = Callable[..., Context]
_LABEL = r'class="label \w+">(?:<title>[^<]*</title>)?([^<]+)<'


def labels(section: Section | None) -> list[list[str]]:
    """Labels of the lines of each figure."""
    assert section is not None
    figures = [block for block in section.blocks if isinstance(block, Figure)]
    return [[text.replace("\u202f", " ") for text in re.findall(_LABEL, str(figure.svg))] for figure in figures]


def said(section: Section | None) -> str:
    assert section is not None
    return section.finding.replace("\u202f", " ")


def test_gap_over_time(given: Given) -> None:
    course = Course(
        gaps={"eng_Latn": [(10.0, -0.5), (20.0, 0.25)], "heb_Hebr": [(10.0, -0.3), (20.0, -0.05)]},
        trained={"eng_Latn": [(10.0, 4.5), (20.0, 3.0)], "heb_Hebr": [(10.0, 4.0), (20.0, 3.5)]},
        heldout={"eng_Latn": [(10.0, 4.0), (20.0, 3.25)], "heb_Hebr": [(10.0, 3.7), (20.0, 3.45)]},
    )
    section = widening(given(course))
    assert said(section) == (
        "From the first evaluation to the last the median gap went from −0.400 to +0.100 nats per token; it ends "
        "widest for English (+0.250)."
    )
    assert labels(section) == [["English +0.250", "Hebrew −0.050"]]
    assert section is not None
    panels, figure = section.blocks
    assert isinstance(panels, Panels)
    assert [(panel.language.english, panel.value) for panel in panels.panels] == [
        ("English", "+0.25"), ("Hebrew", "−0.05"),
    ]  # fmt: skip
    assert panels.note == "Left to right: 10 to 20 tokens. Bottom to top: 2.98 to 3.52 nats per token."
    assert isinstance(figure, Figure)
    assert "every language a line" in figure.caption


def test_languages_passed_over_most_often_are_shown_too(given: Given) -> None:
    langs = [f"q{letter}a_Latn" for letter in "abcdefghijkl"]
    curves = {lang: [(10.0, 0.0), (20.0, float(place))] for place, lang in enumerate(langs)}
    often = {"qfa_Latn": LanguageEvidence(1, 9.0, None, None, None, None, None)}
    section = widening(given(Course(gaps=curves, trained=curves, heldout=curves), evidence=often))
    assert section is not None
    assert isinstance(section.blocks[0], Panels)
    assert [panel.language.tag[1] for panel in section.blocks[0].panels] == [*"lkji", *"dcba", "f"]
    assert "then those whose text was passed over most often" in section.blocks[0].caption


def test_one_evaluation_is_no_course(given: Given) -> None:
    point = {"eng_Latn": [(10.0, 0.5)]}
    assert widening(given(Course(gaps=point, trained=point, heldout=point))) is None


def test_shares_of_penalties(given: Given) -> None:
    def penalty(share: float, gradient: float) -> Penalty:
        level = [(10.0, 0.5), (20.0, 0.5)]
        return Penalty(level, level, [(10.0, 0.0), (20.0, share)], [(10.0, 0.0), (20.0, gradient)] if gradient else [])

    section = penalties(given(Course(), penalties={"gates": penalty(0.02, 0.0), "deviation": penalty(0.001, 0.25)}))
    assert said(section) == (
        "At the end deviation is 0.10 % of what is minimised, its gradient 25.0 % of the whole in norm; gates is 2.0 % "
        "of what is minimised."
    )
    assert labels(section) == [
        ["balanced"], ["balanced"], ["gates 2.0 %", "deviation 0.10 %"], ["deviation 25.0 %"],
    ]  # fmt: skip


def test_penalties_of_a_log_without_shares(given: Given) -> None:
    level = [(10.0, 0.5), (20.0, 0.5)]
    section = penalties(given(Course(), penalties={"deviation": Penalty(level, level)}))
    assert said(section) == "Deviation: how far each term weighed in over the run."
    assert labels(section) == [["balanced"]]


def test_loss_factors(given: Given) -> None:
    section = factors(given(Course(factors={"eng_Latn": [(10.0, 1.0), (20.0, 0.5)], "heb_Hebr": [(20.0, 1.5)]})))
    assert said(section) == "At the end the loss of Hebrew counts most (×1.5), that of English least (×0.50)."
    assert labels(section) == [["English ×0.50", "Hebrew ×1.5"]]


def test_gates_and_adapters(given: Given) -> None:
    course = Course(
        gates={"eng_Latn": {"block_0": 0.25, "block_1": 0.75}, "heb_Hebr": {"block_0": 1.0, "block_1": 0.02}},
        openness={"eng_Latn": [(10.0, 0.9), (20.0, 0.5)], "heb_Hebr": [(10.0, 0.9), (20.0, 0.51)]},
        deviations={"eng_Latn": [(10.0, 0.0), (20.0, 300.0)], "heb_Hebr": [(10.0, 0.0), (20.0, 10.0)]},
        norms_of={"eng_Latn": [(10.0, 7.0), (20.0, 7.5)], "heb_Hebr": [(10.0, 7.0), (20.0, 7.25)]},
    )
    section = paths(given(course))
    assert said(section) == (
        "The adapters of English went furthest from their start (300, 155 in the median); the gates of English are the "
        "least open (50.0 %), those of Hebrew the most (51.0 %)."
    )
    assert labels(section) == [
        ["English 50.0 %", "Hebrew 51.0 %"], ["English 300", "Hebrew 10"], ["English 7.5", "Hebrew 7.25"],
    ]  # fmt: skip
    assert section is not None
    heat = section.blocks[0]
    assert isinstance(heat, Heat)
    assert heat.columns == [("Block", ["0", "1"])]
    found = {row.language.english: [(cell.text, cell.shade) for cell in row.cells] for row in heat.groups[0][1]}
    assert found == {"English": [("25", 2), ("75", 8)], "Hebrew": [("100", 10), ("2", 1)]}
    page = render(given(course).facts, ReportConfig())
    assert '<td class="a8" title="English, block 1: 75.0\u202f% open">75</td>' in page


def test_adapters_without_gates(given: Given) -> None:
    section = paths(given(Course(deviations={"eng_Latn": [(10.0, 0.0), (20.0, 300.0)]})))
    assert said(section) == "The adapters of English went furthest from their start (300, 300 in the median)."
    assert labels(section) == [["English 300"]]


def test_translations_against_their_baselines(given: Given) -> None:
    course = Course(
        translation=[(10.0, 6.0), (20.0, 5.0)],
        translations={"eng_Latn": [(10.0, 6.0), (20.0, 5.0)]},
        retrieval={
            "cosine": [(0.0, 0.1), (20.0, 0.5)],
            "centred": [(0.0, 0.1), (20.0, 0.6)],
            "chance": [(0.0, 0.1), (20.0, 0.1)],
            "embeddings": [(0.0, 0.2), (20.0, 0.25)],
        },
        searched={
            "eng_Latn-heb_Hebr": {"pairs": 10.0, "cosine": 0.75, "chance": 0.1, "embeddings": 0.25},
            "arb_Arab-eng_Latn": {"pairs": 12.0, "cosine": 0.25, "chance": 0.1},
        },
        passes={"tlm": {"eng_Latn-heb_Hebr": 1.5}},
        layer=2,
    )
    section = translations(given(course))
    assert said(section) == (
        "At the end 60.0 % of held-out sentences lie nearest to their translation once each language’s mean is taken "
        "off (50.0 % by the plain cosine), against 25.0 % by their tokens’ embeddings alone and 10.0 % by chance."
    )
    assert labels(section) == [["all 5"], ["cosine 50.0 %", "centred 60.0 %", "embeddings 25.0 %", "chance 10.0 %"]]
    assert section is not None
    _, retrieval, table = section.blocks
    assert isinstance(retrieval, Figure)
    assert "after block 2" in retrieval.caption
    assert str(retrieval.svg).count("dashed") == 2
    assert isinstance(table, Table)
    texts = [[str(cell).replace("\u202f", " ") for cell in (*row[:2], *row[3:])] for row in table.groups[0].rows]
    assert texts == [
        ["Standard Arabic and English", "12", "25.0 %", "", "10.0 %", ""],
        ["English and Hebrew", "10", "75.0 %", "25.0 %", "10.0 %", "×1.5"],
    ]


def test_translations_that_were_not_searched(given: Given) -> None:
    section = translations(given(Course(translation=[(10.0, 6.0), (20.0, 5.0)])))
    assert said(section) == "The loss of hidden tokens in translations went from 6 to 5 nats per token."
    assert labels(section) == [["all 5"]]


@pytest.mark.parametrize(
    ("more", "finding", "drawn"),
    [
        ({}, "The run “balanced” read 950 tokens per second in the median.", [["balanced 1k"]]),
        (
            {
                "mfu": [(10.0, 0.25), (20.0, 0.35)],
                "memory": [(10.0, 5e8), (20.0, 6e8)],
                "skipped": [(10.0, 0.0), (20.0, 0.0)],
            },
            "The run “balanced” read 950 tokens per second in the median, 30.0 % of the device’s peak, 600 MB of "
            "memory at most; no step was skipped.",
            [["balanced 1k"], ["balanced 35.0 %"], ["balanced 600 MB"]],
        ),
        (
            {"skipped": [(10.0, 0.0), (20.0, 1.0)]},
            "The run “balanced” read 950 tokens per second in the median; 1 step was skipped.",
            [["balanced 1k"], ["balanced 1"]],
        ),
    ],
)
def test_speed(given: Given, more: dict[str, Any], finding: str, drawn: list[list[str]]) -> None:
    section = speed(given(replace(Course(speed=[(10.0, 900.0), (20.0, 1000.0)]), **more)))
    assert said(section) == finding
    assert labels(section) == drawn


def test_a_run_that_logs_none_of_it_has_none_of_these_chapters(given: Given) -> None:
    made = given(Course())
    found = {section.id for section in sections(made.facts, made.config)}
    assert found.isdisjoint({"widening", "conflict", "penalties", "factors", "paths", "translations", "speed"})
    assert "bits" in found
