"""The gap between training and held-out loss over the run, language by language."""

from __future__ import annotations

from typing import Final

from evenglot.report import charts, rows
from evenglot.report.blocks import Block, Figure, Panel, Panels, Section
from evenglot.report.facts import TrainingRun
from evenglot.report.numbers import compact, signed, significant
from evenglot.report.sections.context import Context, median
from evenglot.report.sections.lines import extent, moving, named, told_by
from evenglot.report.svg import Scale

_EACH: Final = 4
"""Languages chosen for each reason."""


def widening(context: Context) -> Section | None:
    """The chapter; None where no run logged the gap at two evaluations or more."""
    run = told_by(context, lambda one: moving(one.course.gaps.values()))
    if run is None:
        return None
    gaps = run.course.gaps
    curves = {context.name(lang).english: points for lang, points in gaps.items()}
    figure = Figure(
        charts.lines(named(curves, text=signed), zero=True, label="Gap of each language over tokens"),
        caption=f"Held-out less training loss of the run “{run.name}”, nats per token, {extent(len(curves))}; "
        "named: those that end highest and lowest. The training loss is the mean since the last evaluation, of a model "
        "that was still worse and under dropout, so early gaps lie below 0. Look for lines that go on rising while the "
        "others stay level: of such a language the model learns what its held-out text does not share.",
        labels=True,
    )
    return Section(
        "widening", "How the gap grew", "Gap over time", _finding(context, run), [*_panels(context, run), figure]
    )


def chosen(run: TrainingRun) -> list[str]:
    """Languages with the widest gap at the end, then with the narrowest, then those passed over most often."""
    curves = {lang: points for lang, points in run.course.gaps.items() if run.course.heldout.get(lang)}
    order = sorted(curves, key=lambda lang: (-curves[lang][-1][1], lang))
    repeats = {lang: one.repeats for lang, one in run.evidence.items() if one.repeats and lang in curves}
    often = sorted(repeats, key=lambda lang: (-repeats[lang], lang))
    return list(dict.fromkeys([*order[:_EACH], *order[-_EACH:], *often[:_EACH]]))


def _panels(context: Context, run: TrainingRun) -> list[Block]:
    langs = chosen(run)
    pairs = {lang: (run.course.trained.get(lang, ()), run.course.heldout[lang]) for lang in langs}
    points = [point for pair in pairs.values() for points in pair for point in points]
    tokens = [place for place, _ in points]
    if not points or max(tokens) <= min(tokens):
        return []
    x, y = (
        Scale(min(tokens), max(tokens)),
        charts.settled([points for pair in pairs.values() for points in pair if points]),
    )
    panels = []
    for lang, (trained, heldout) in pairs.items():
        curves = [
            charts.Line(trained, tone="soft", tip="training"),
            charts.Line(heldout, tone="accent", tip="held-out"),
        ]
        end = signed(run.course.gaps[lang][-1][1], 2)
        panels.append(Panel(context.name(lang), end, charts.panel(curves, x, y)))
    often = any(run.evidence[lang].repeats for lang in langs if lang in run.evidence)
    return [
        Panels(
            panels,
            caption=f"Training and held-out loss of the run “{run.name}”, nats per token, all panels on one scale, "
            "with the gap at the end: the languages with the widest gap first, then those with the narrowest"
            + (", then those whose text was passed over most often." if often else ".")
            + " Where the held-out line rises while the training line falls, further passes do harm; where it stays "
            "level, they do no good.",
            key=rows.key(("line", "soft", "training"), ("line", "accent", "held-out")),
            note=f"Left to right: {compact(x.low)} to {compact(x.high)} tokens. "
            f"Bottom to top: {significant(y.low)} to {significant(y.high)} nats per token.",
        )
    ]


def _finding(context: Context, run: TrainingRun) -> str:
    first = median(points[0][1] for points in run.course.gaps.values())
    ends = {lang: points[-1][1] for lang, points in run.course.gaps.items()}
    most = max(sorted(ends), key=lambda lang: ends[lang])
    return (
        f"From the first evaluation to the last the median gap went from {signed(first)} to "
        f"{signed(median(ends.values()))} nats per token; it ends widest for {context.name(most).english} "
        f"({signed(ends[most])})."
    )
