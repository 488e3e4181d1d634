"""The chapter on synthetic text, from a snapshot's augmentation to blocks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from corpus.augmentation import (
    Augmentation,
    LanguageAugmentation,
    MethodCounts,
    Naturalness,
    PhenomenonCounts,
    UsedModel,
)  # fmt: skip
from evenglot.report.blocks import Facts as FactList
from evenglot.report.blocks import Figure, Heat, Quotes, Section, Table
from evenglot.report.build import render
from evenglot.report.config import ReportConfig
from evenglot.report.made import MadeFacts, MadeSample
from evenglot.report.sections.context import Context
from evenglot.report.sections.synthetic import synthetic

HEBREW = LanguageAugmentation(
    natural_bytes=6000, budget=4000, why="one third of 12.0 kB: the share it may have", candidates=10, kept=4,
    kept_bytes=2000, rejected={"gates/round_trip": 5, "deduplicate/near_duplicate": 1},
    dropped_sentences={"low_score": 3}, methods={"back_translation": MethodCounts(candidates=10, kept=4, bytes=2000)},
    parents={"back_translation from eng_Latn": "diversity alone"},
    naturalness=Naturalness(
        measures={"classifier_auc": 0.97, "ngrams": 0.2, "passages": 40.0}, share=0.5, why="classifier_auc 0.97 > 0.9"
    ),
)  # fmt: skip
ENGLISH = LanguageAugmentation(natural_bytes=90000, why="has more than 50 kB")
ABOUT = Augmentation(
    fingerprint="f",
    languages={"heb_Hebr": HEBREW, "eng_Latn": ENGLISH},
    thresholds={"eng_Latn>heb_Hebr": {"min_round_trip": 41.5, "min_score": -1.25}},
    models={"small@7": UsedModel(revision="7", licence="CC0-1.0")},
    phenomena={"heb_Hebr": {"rare_characters": PhenomenonCounts(before=2, target=9, after=8)}},
)
KEPT = MadeSample(
    "b" * 32, "heb_Hebr", "הגג דולף", False, "back_translation", "small@7", {"round_trip_chrf": 81.25}, 1,
    "a" * 32, "eng_Latn", "The roof <b>leaks</b>.", True,
)  # fmt: skip
LOST = replace(
    KEPT, text="הגג הגג", parent_text="", stage="gates", reason="round_trip", detail="round_trip 12.0 < min 41.5"
)


@pytest.fixture
def context(given) -> Context:  # type: ignore[no-untyped-def]
    from evenglot.report.course import Course

    found: Context = given(Course())
    corpus = found.facts.corpus
    recipe = {"augment": {"budget": {"share": 0.5}, "naturalness": {"limits": {"classifier_auc": 0.9}}}}
    snapshot = corpus.snapshot.model_copy(update={"augmentation": ABOUT, "recipe": recipe})
    return Context(
        replace(found.facts, corpus=replace(corpus, snapshot=snapshot, made=MadeFacts([KEPT], [LOST]))), ReportConfig()
    )


def chapter(context: Context) -> Section:
    section = synthetic(context)
    assert section is not None
    return section


def plain(table: Table) -> list[list[str]]:
    """Cells without charts."""
    shown = [place for place, column in enumerate(table.columns) if column.look != "chart"]
    found = [[row[place] for place in shown] for group in table.groups for row in group.rows]
    return [[str(getattr(cell, "english", cell)).replace("\u202f", " ") for cell in row] for row in found]


def test_no_synthetic_text_no_chapter(given) -> None:  # type: ignore[no-untyped-def]
    from evenglot.report.course import Course

    assert synthetic(given(Course())) is None


def test_the_finding(context: Context) -> None:
    assert chapter(context).finding.replace("\u202f", " ") == (
        "4 of 10 candidates stayed, in 1 language; the largest share of synthetic text has Hebrew, 25.0 % of its "
        "training bytes. The budget of Hebrew shrank, because what was made reads too little like natural text."
    )


def test_amounts_thresholds_naturalness_and_phenomena(context: Context) -> None:
    tables = [block for block in chapter(context).blocks if isinstance(block, Table)]
    amounts, methods, thresholds, naturalness, phenomena = tables
    assert plain(amounts) == [
        ["English", "90.0 kB", "", "", "none", "has more than 50 kB"],
        [
            "Hebrew",
            "6.0 kB",
            "2.0 kB",
            "25.0 %",
            "4.0 kB",
            "one third of 12.0 kB: the share it may have; parents of back_translation from eng_Latn: diversity alone",
        ],
    ]
    assert "No language may have more than 50.0 % of synthetic text" in amounts.caption.replace("\u202f", " ")
    assert "left of the budget of 4.0" in str(amounts.groups[0].rows[1][4])
    assert plain(methods) == [["Hebrew", "back translation", "10", "4", "40.0 %", "2.0 kB"]]
    assert [column.label for column in thresholds.columns] == ["Gate", "English → Hebrew"]
    assert plain(thresholds) == [["min round trip", "41.5"], ["min score", "-1.25"]]
    assert plain(naturalness) == [["Hebrew", "0.97", "0.2", "50.0 %", "classifier_auc 0.97 > 0.9"]]
    assert "Limits: classifier auc 0.9." in naturalness.caption
    assert plain(phenomena) == [["Hebrew", "rare characters", "2", "8", "9"]]


def test_candidates_by_reason(context: Context) -> None:
    figure = next(block for block in chapter(context).blocks if isinstance(block, Figure))
    assert "10 candidates" in str(figure.svg)
    assert "round trip" in str(figure.svg)
    heat = next(block for block in chapter(context).blocks if isinstance(block, Heat))
    assert heat.columns == [("gates", ["round trip"]), ("deduplicate", ["near duplicate"])]
    (row,) = heat.groups[0][1]
    assert [cell.text.replace("\u202f", " ") for cell in row.cells] == ["50.0 %", "10.0 %"]
    facts = [block for block in chapter(context).blocks if isinstance(block, FactList)]
    assert [list(block.rows) for block in facts] == [
        [("low score", "3 sentences")], [("small@7", "revision 7, CC0-1.0")],
    ]  # fmt: skip


def test_quotes_stand_beside_their_parents(context: Context) -> None:
    (quotes,) = (block for block in chapter(context).blocks if isinstance(block, Quotes))
    kept, lost = quotes.groups
    assert (kept.heading, kept.summary) == ("Kept", "4 documents")
    assert (lost.heading, lost.summary) == ("gates · round trip", "5 candidates")
    assert kept.quotes[0].parent is not None
    assert kept.quotes[0].parent.text == "The roof <b>leaks</b>."
    assert kept.quotes[0].facts == [
        ("method", "back translation"), ("by", "small@7"), ("round trip chrf", "81.2"), ("dropped sentences", "1"),
        ("id", "b" * 32),
    ]  # fmt: skip
    assert lost.quotes[0].parent is None
    page = render(context.facts, ReportConfig())
    assert "The roof &lt;b&gt;leaks&lt;/b&gt;.…" in page
    assert 'class="card two"' in page


def test_budgets_without_candidates(context: Context) -> None:
    corpus = context.facts.corpus
    about = Augmentation(fingerprint="f", languages={"eng_Latn": ENGLISH})
    snapshot = corpus.snapshot.model_copy(update={"augmentation": about})
    section = synthetic(
        replace(context, facts=replace(context.facts, corpus=replace(corpus, snapshot=snapshot, made=MadeFacts())))
    )
    assert section is not None
    assert section.finding == "No candidate was generated: the table says why for every language."
    assert [block.kind for block in section.blocks] == ["table"]


def test_many_directions_stand_below_each_other(context: Context) -> None:
    corpus = context.facts.corpus
    limits = {f"eng_Latn>{lang}": {"min_score": -1.0} for lang in ("heb_Hebr", "arb_Arab", "swh_Latn", "hin_Deva")}
    about = ABOUT.model_copy(update={"thresholds": {**limits, "heb_Hebr>eng_Latn": {"min_language": 0.5}}})
    snapshot = corpus.snapshot.model_copy(update={"augmentation": about})
    section = chapter(replace(context, facts=replace(context.facts, corpus=replace(corpus, snapshot=snapshot))))
    table = next(one for one in section.blocks if isinstance(one, Table) and one.columns[0].label == "Direction")
    assert table.folded == "Thresholds of 5 directions"
    assert plain(table)[-1] == ["Hebrew → English", "0.5", ""]
