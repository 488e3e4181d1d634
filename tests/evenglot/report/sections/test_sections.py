"""The chapters: their findings and tables, from facts to blocks."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.manifest import ThresholdFacts
from evenglot.inspect.boilerplate import Boilerplate
from evenglot.inspect.mixed import LanguageMix, Mixing
from evenglot.report.blocks import Equation, Figure, Heat, Matrix, Missing, Note, Panels, Table
from evenglot.report.blocks import Facts as FactList
from evenglot.report.config import ReportConfig
from evenglot.report.facts import Facts
from evenglot.report.load import load_corpus
from evenglot.report.numbers import compact
from evenglot.report.runs import load_runs
from evenglot.report.sections.balance import balance
from evenglot.report.sections.boilerplate import boilerplate
from evenglot.report.sections.comparison import differences
from evenglot.report.sections.context import Context, listed, median, size_class
from evenglot.report.sections.duplicates import copy_bins, duplicates
from evenglot.report.sections.evaluation import evaluation
from evenglot.report.sections.funnel import funnel, stage_losses
from evenglot.report.sections.identification import identification
from evenglot.report.sections.mixed import mixed
from evenglot.report.sections.operations import times
from evenglot.report.sections.overview import effect
from evenglot.report.sections.removed import removed, shade
from evenglot.report.sections.thresholds import thresholds
from evenglot.report.sections.tokens import tokens
from evenglot.report.sections.training import measured_alike, smoothed, training


def context(corpus: Path, runs: list[str]) -> Context:
    config = ReportConfig()
    return Context(Facts(load_corpus(str(corpus), config), load_runs(runs, config)), config)


@pytest.fixture(scope="module")
def small(small_corpus: Path, small_runs: list[str]) -> Context:
    return context(small_corpus, small_runs)


@pytest.fixture(scope="module")
def large(large_corpus: Path, large_runs: list[str]) -> Context:
    return context(large_corpus, large_runs)


def tables(blocks: object) -> list[Table]:
    assert isinstance(blocks, list | tuple)
    return [block for block in blocks if isinstance(block, Table)]


def test_stages_come_in_the_order_of_the_pipeline_and_sum_to_what_was_lost(large: Context) -> None:
    losses = stage_losses(large)
    ledger = large.facts.corpus.snapshot.ledger
    assert list(losses) == ["unreadable", "identify", "quality", "deduplicate"]
    assert sum(sum(reasons.values()) for reasons in losses.values()) == ledger.read - ledger.kept_total


def test_funnel_ends_with_what_was_kept(large: Context) -> None:
    section = funnel(large)
    equation = next(block for block in section.blocks if isinstance(block, Equation))
    assert equation.closes
    steps, languages = tables(section.blocks)
    assert steps.groups[-1].rows[-1][-1] == f"{large.facts.corpus.snapshot.ledger.kept_total:,}"
    assert languages.rows == 60


def test_balance_has_every_language_once_largest_first(large: Context) -> None:
    section = balance(large)
    assert section is not None
    (table,) = tables(section.blocks)
    tags = [getattr(row[0], "tag", "") for group in table.groups for row in group.rows]
    assert tags == list(large.sizes)
    assert len(table.groups) > 1


def test_matrix_leaves_agreement_out(large: Context) -> None:
    section = identification(large)
    assert section is not None
    matrix = next(block for block in section.blocks if isinstance(block, Matrix))
    assert len(matrix.rows) <= 14
    for row, cells in zip(matrix.rows, matrix.cells, strict=True):
        for column, (text, shaded, _) in zip(matrix.columns, cells, strict=True):
            assert (shaded == 0) == (text == "")
            assert row.tag != column.tag or text == ""


def test_effect_compares_balanced_with_proportional_in_either_order(small_corpus: Path, small_runs: list[str]) -> None:
    sentence = effect(context(small_corpus, small_runs))
    assert sentence == effect(context(small_corpus, small_runs[::-1]))
    assert sentence.startswith("The run “unimax” has")
    assert "fewer held-out bits per byte than “proportional” for the smaller half" in sentence
    assert effect(context(small_corpus, small_runs[:1])) == ""


def test_masked_runs_are_not_compared_with_others(small_corpus: Path, small_runs: list[str]) -> None:
    made = context(small_corpus, small_runs)
    masked, causal = (
        replace(run, objective=kind) for run, kind in zip(made.facts.runs, ("masked", "mixed"), strict=True)
    )
    assert effect(replace(made, facts=replace(made.facts, runs=[masked, causal]))) == ""
    both = [masked, replace(causal, objective="masked")]
    assert effect(replace(made, facts=replace(made.facts, runs=both))).startswith("The run “unimax” has")


def test_training_sections(large: Context) -> None:
    found = {section.id: section for section in training(large)}
    assert list(found) == ["bits", "curves", "gap"]
    summary, differing, comparison = tables(found["bits"].blocks)
    assert differing.groups[0].rows == [["sampler.mixture", '"proportional"', '"unimax"']]
    assert summary.rows == 2
    assert comparison.rows == 60
    panels = next(block for block in found["curves"].blocks if isinstance(block, Panels))
    assert len(panels.panels) == 60


def test_one_run_has_no_comparison(small_corpus: Path, small_runs: list[str]) -> None:
    alone = context(small_corpus, small_runs[1:])
    assert alone.facts.baseline is None
    (_, table) = tables(training(alone)[0].blocks)
    assert [column.label for column in table.columns][:3] == ["Language", "Text", "Bits per byte"]


def test_languages_that_were_followed_to_their_end_show_it(small: Context) -> None:
    def with_ends(ends: dict[str, tuple[int, int | None]]) -> Table:
        runs = [
            replace(
                run,
                evidence={
                    lang: replace(one, best_step=ends[lang][0], stopped_at=ends[lang][1]) if lang in ends else one
                    for lang, one in run.evidence.items()
                },
            )
            for run in small.facts.runs
        ]
        found = training(Context(Facts(small.facts.corpus, runs), small.config))
        (gaps,) = tables([block for one in found if one.id == "gap" for block in one.blocks])
        return gaps

    first, *_ = sorted(small.facts.runs[0].evidence)
    shown = with_ends({first: (1200, 1800)})
    assert shown.columns[-1].label == "Best at step"
    last = {str(row[-1]) for group in shown.groups for row in group.rows}
    assert last == {"1,200, stopped at 1,800", ""}
    assert with_ends({}).columns[-1].label == "Gap"


def test_without_runs_the_command_is_named(small_corpus: Path) -> None:
    (section,) = training(context(small_corpus, []))
    (missing,) = section.blocks
    assert isinstance(missing, Missing)
    assert missing.commands[0] == f"evenglot train --corpus {small_corpus} --run RUN"


def test_thresholds_and_tokens_name_extremes(small: Context) -> None:
    section = thresholds(small)
    assert section is not None
    strips, table = tables(section.blocks)
    assert [row[0] for row in strips.groups[0].rows] == ["lang score", "letter share", "mean word length"]
    assert table.rows == 3
    assert section.finding == "3 bounds for each of 3 languages, every language with its own."
    assert "bytes in" in tokens(small).finding


@pytest.mark.parametrize(
    ("copied", "bins"),
    [
        ({2: 5}, [("2", 5), ("3", 0), ("4", 0)]),
        ({2: 5, 4: 1, 6: 2, 17: 3}, [("2", 5), ("3", 0), ("4", 1), ("5–8", 2), ("9–16", 0), ("17–32", 3)]),
    ],
)
def test_copy_bins(copied: dict[int, int], bins: list[tuple[str, int]]) -> None:
    assert [(label, number) for label, number, _ in copy_bins(copied)] == bins


def test_differences_leave_out_places_and_what_is_equal(small: Context) -> None:
    run = small.facts.runs[0]
    one = replace(run, recipe="run: a\ncorpus: x\nseed: 0\ntrain: {steps: 3, model: {size: tiny}, regularisers: []}")
    other = replace(run, recipe="run: b\ncorpus: y\nseed: 0\ntrain: {steps: 3, model: {size: base}, rows: 8}")
    assert differences([one, other]) == {
        "train.model.size": ['"tiny"', '"base"'],
        "train.regularisers": ["[]", "not set"],
        "train.rows": ["not set", "8"],
    }
    assert differences([one]) == {}
    assert differences([one, replace(run, recipe="")]) == {}
    assert differences([one, replace(run, recipe="a: [")]) == {}


def test_helpers() -> None:
    assert size_class(0) == "no training text"
    assert size_class(999).replace("\u202f", " ") == "100 B to 1.0 kB"
    assert size_class(1000).replace("\u202f", " ") == "1.0 kB to 10.0 kB"
    assert median([3.0, 1.0, 2.0]) == 2
    assert median([]) == 0
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([]) == ""
    assert smoothed([(0, 4.0), (1, 4.0)]) == [(0, pytest.approx(4.0)), (1, pytest.approx(4.0))]


def test_removed_shares_are_of_the_language_and_in_the_order_of_the_stages(large: Context) -> None:
    section = removed(large)
    assert section is not None
    (heat,) = [block for block in section.blocks if isinstance(block, Heat)]
    assert [stage for stage, _ in heat.columns] == ["identify", "quality", "deduplicate"]
    assert heat.rows == 60
    ledger = large.facts.corpus.snapshot.ledger
    totals = ledger.language_totals()
    names = [f"{stage}/{reason}".replace(" ", "_") for stage, reasons in heat.columns for reason in reasons]
    for row in (row for _, rows in heat.groups for row in rows):
        lang = row.language.tag
        assert row.total == f"{sum(totals[lang]):,}"
        for name, cell in zip(names, row.cells, strict=True):
            number = ledger.rejected[name].get(lang, 0)
            assert (cell.shade > 0) == (cell.text != "") == (number > 0)
            if number:
                assert cell.tip.endswith(f": {number:,}")


def test_shades_keep_small_shares_apart() -> None:
    assert [shade(share) for share in (0.00001, 0.01, 0.05, 0.2, 0.9)] == [1, 2, 5, 10, 10]


def test_nothing_removed_has_no_section(small: Context) -> None:
    corpus = small.facts.corpus
    ledger = corpus.snapshot.ledger.model_copy(update={"rejected": {}})
    empty = replace(corpus, snapshot=corpus.snapshot.model_copy(update={"ledger": ledger}))
    assert removed(replace(small, facts=replace(small.facts, corpus=empty))) is None


def test_where_thresholds_come_from(small: Context) -> None:
    section = thresholds(small)
    assert section is not None
    assert [block.text for block in section.blocks if isinstance(block, Note)] == [
        "Where the bounds come from was not recorded."
    ]
    facts = ThresholdFacts(documents=40, sources=2.5, origins={"min_words": "few_documents", "max_code": "by_hand"})
    corpus = small.facts.corpus
    snapshot = corpus.snapshot.model_copy(update={"threshold_facts": {"eng_Latn": facts}})
    known = thresholds(replace(small, facts=replace(small.facts, corpus=replace(corpus, snapshot=snapshot))))
    assert known is not None
    origins = tables(known.blocks)[1]
    assert origins.groups[0].rows[0][1:3] == ["40", "2.5"]
    assert "the default, for want of documents: min words" in str(origins.groups[0].rows[0][3])


def test_masked_and_causal_curves_have_an_axis_each(small: Context) -> None:
    masked, causal = (
        replace(run, objective=kind) for run, kind in zip(small.facts.runs, ("masked", "causal"), strict=True)
    )
    assert measured_alike([masked, causal], causal) == ([causal], [masked])
    (curves,) = [
        section
        for section in training(replace(small, facts=replace(small.facts, runs=[masked, causal])))
        if section.id == "curves"
    ]
    overall = [block for block in curves.blocks if isinstance(block, Figure) and "mean over languages" in block.caption]
    assert ["predicting masked tokens" in figure.caption for figure in overall] == [False, True]
    assert all("not to be compared" in figure.caption for figure in overall)
    (panels,) = [block for block in curves.blocks if isinstance(block, Panels)]
    assert masked.name not in str(panels.key)


def test_stages_say_what_they_cost_and_removed(large: Context) -> None:
    corpus = large.facts.corpus
    run = replace(corpus.runs[0], steps=[("read", 20.0, 18.0), ("write", 11.0, 11.5)], cpu_seconds=40.0)
    section = times(replace(large, facts=replace(large.facts, corpus=replace(corpus, runs=[run]))))
    assert section is not None
    said = section.finding.replace("\u202f", " ")
    assert "The stages took 29.6 s of 40.0 s of processor time; the other 26.0 %" in said
    stages = tables(section.blocks)[1]
    removed_by = {row[0]: row[-1] for row in stages.groups[0].rows}
    assert removed_by["normalise"] == ""
    assert removed_by["quality"] != ""


def test_documents_without_a_language_are_counted(small: Context) -> None:
    section = identification(small)
    assert section is not None
    (facts,) = [block for block in section.blocks if isinstance(block, FactList)]
    assert [(name, value.replace("\u202f", " ")) for name, value in facts.rows[:2]] == [
        ("no language (zxx)", "0, 0 % of the documents"),
        ("undetermined (und)", "0, 0 % of the documents"),
    ]


def test_boilerplate_by_site(small: Context) -> None:
    section = boilerplate(small)
    assert section is not None
    assert section.finding.replace("\u202f", " ").startswith(
        "63 lines that pages of a site share were removed from 30 documents of 3 sites: 4.0 kB, "
    )
    (table,) = tables(section.blocks)
    assert [row[:3] for row in table.groups[0].rows] == [
        ["arb.example", "21", "2"], ["eng.example", "21", "2"], ["heb.example", "21", "2"],
    ]  # fmt: skip
    assert str(table.groups[0].rows[0][3]).endswith("(12) · Read more (9)")
    corpus = small.facts.corpus
    none = replace(corpus, boilerplate=Boilerplate(0, 0, 0, []))
    assert boilerplate(replace(small, facts=replace(small.facts, corpus=none))) is None


def test_evaluation_sets_that_were_looked_for(small: Context) -> None:
    section = evaluation(small)
    assert section is not None
    assert section.finding == "3 documents hold text of an evaluation set; 7 items of 1 file could be looked for."
    files, items = tables(section.blocks)
    assert files.groups[0].rows == [["flores", "10", "7", "2", "2", "3"]]
    assert items.groups[0].rows == [["q7", "flores", "eng_Latn", "2"]]
    corpus = small.facts.corpus
    runs = [replace(run, record={}) for run in corpus.runs]
    assert evaluation(replace(small, facts=replace(small.facts, corpus=replace(corpus, runs=runs)))) is None


def test_near_duplicates_with_their_similarity_and_curve(large: Context) -> None:
    found = large.facts.corpus.duplicates
    near = large.facts.corpus.snapshot.ledger.by_reason()["deduplicate/near_duplicate"]
    assert sum(found.similarity["jaccard"]) + sum(found.similarity["containment"]) == near
    assert [place for place, number in enumerate(found.similarity["jaccard"]) if number] == [18]
    assert [place for place, number in enumerate(found.similarity["containment"]) if number] == [19]
    section = duplicates(large)
    assert section is not None
    (facts,) = [block for block in section.blocks if isinstance(block, FactList)]
    assert dict(facts.rows)["pairs that the bands brought together"] == "900"
    assert facts.rows[-1][1] == "2; documents not settled before each and after the last: 120, 9, 0"


def test_a_snapshot_without_near_duplicates_says_so(small: Context) -> None:
    corpus = small.facts.corpus
    runs = [replace(run, record={}) for run in corpus.runs]
    bare = replace(corpus, runs=runs, duplicates=replace(corpus.duplicates, similarity={}))
    section = duplicates(replace(small, facts=replace(small.facts, corpus=bare)))
    assert section is not None
    assert [block.text for block in section.blocks if isinstance(block, Note)] == [
        "Near duplicates were not looked for."
    ]


def test_documents_in_several_languages(small: Context) -> None:
    missing = mixed(small)
    assert [getattr(block, "text", "")[:12] for block in missing.blocks] == ["Not measured"]
    counted = Mixing(
        recorded=True,
        languages={"eng_Latn": LanguageMix(10, 10, 2, 3, 0.5), "heb_Hebr": LanguageMix(10, 10, 0, 0, 0.0)},
        pairs=Counter({("eng_Latn", "arb_Arab"): 2, ("eng_Latn", "heb_Hebr"): 1}),
    )
    corpus = replace(small.facts.corpus, mixing=counted)
    section = mixed(replace(small, facts=replace(small.facts, corpus=corpus)))
    assert section.finding.replace("\u202f", " ") == (
        "2 kept documents are in several languages (10.0 %); most often Standard Arabic stands in English (2)."
    )
    languages, pairs = tables(section.blocks)
    assert [[str(cell).replace("\u202f", " ") for cell in row[1:3]] for row in languages.groups[0].rows] == [
        ["2", "20.0 %"]
    ]
    assert languages.groups[0].rows[0][-1] == "5.0\u202f%"
    assert [row[2] for row in pairs.groups[0].rows] == ["2", "1"]


def test_records_made_by_splitting_are_in_the_equation(small: Context) -> None:
    corpus = small.facts.corpus
    ledger = corpus.snapshot.ledger
    split = ledger.model_copy(update={"read": ledger.read - 3, "made": 3})
    changed = replace(corpus, snapshot=corpus.snapshot.model_copy(update={"ledger": split}))
    (equation,) = [
        block
        for block in funnel(replace(small, facts=replace(small.facts, corpus=changed))).blocks
        if isinstance(block, Equation)
    ]
    assert equation.closes
    assert equation.total == (f"{ledger.read - 3:,}", "read and 3 made by splitting")


def test_runs_that_go_on_with_each_other_are_counted_together(large: Context) -> None:
    corpus = large.facts.corpus
    run = replace(corpus.runs[0], steps=[("read", 20.0, 18.0)], wall_seconds=10.0, cpu_seconds=40.0)
    section = times(replace(large, facts=replace(large.facts, corpus=replace(corpus, runs=[run, run]))))
    assert section is not None
    read = next(stage.records_in for stage in run.stages if stage.name == "read")
    assert f"Preparing went at {compact(read / 10)} documents a second, {compact(read / 40)} per" in section.finding
    stages = tables(section.blocks)[1]
    assert [row[0] for row in stages.groups[0].rows].count("identify") == 1
