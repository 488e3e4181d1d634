"""Where each document went: the ledger as an equation, a stream, steps, and a bar for every language."""

from __future__ import annotations

from collections import Counter, defaultdict

from markupsafe import Markup

from evenglot.report import charts, rows
from evenglot.report.blocks import Column, Equation, Figure, Group, Section, Table
from evenglot.report.numbers import count, percent, percent_tick
from evenglot.report.sections.context import Context, words
from evenglot.report.svg import Scale

_USUAL_ORDER = (
    "read", "normalise", "pii", "identify", "script", "quality", "filter", "deduplicate", "balance", "write",
)  # fmt: skip
_TONES = 6
"""Stages told apart by colour; further ones share the last."""
UNREADABLE = "unreadable"


def funnel(context: Context) -> Section:
    """The funnel, overall and per language."""
    ledger = context.facts.corpus.snapshot.ledger
    by_stage = stage_losses(context)
    drops = [
        charts.Drop(words(stage), sum(reasons.values()), _tip(reasons))
        for stage, reasons in by_stage.items()
        if reasons
    ]
    blocks = [_equation(context)]
    finding = "No document was rejected."
    figure = None
    if drops:
        figure = Figure(
            charts.river(ledger.read, drops, ledger.kept_total),
            caption="From what was read to what was kept. The thickness is the number of documents.",
            scroll=len(drops) > 3,
        )
        reason, number = max(
            ((reason, number) for reasons in by_stage.values() for reason, number in reasons.items()),
            key=lambda item: item[1],
        )
        lost = ledger.read - ledger.kept_total
        finding = (
            f"{count(lost)} of {count(ledger.read)} documents ({percent(lost / max(1, ledger.read))}) were set aside, "
            f"most often for “{words(reason)}” ({count(number)}). None was lost: every one is in the corpus folder "
            "with its reason."
        )
    return Section(
        "funnel",
        "Where each document went",
        "Funnel",
        finding,
        [
            block
            for block in (*blocks, figure, _steps(context, by_stage), _by_language(context, list(by_stage)))
            if block
        ],
    )


def stage_losses(context: Context) -> dict[str, dict[str, int]]:
    """Documents set aside, by stage in the order of the run and by reason, the most frequent first."""
    ledger = context.facts.corpus.snapshot.ledger
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for reason, number in ledger.unreadable.items():
        found[UNREADABLE][reason] += number
    for name, number in ledger.by_reason().items():
        stage, _, reason = name.partition("/")
        found[stage][reason or stage] += number
    return {stage: dict(found[stage].most_common()) for stage in _stage_order(context, list(found))}


def _stage_order(context: Context, stages: list[str]) -> list[str]:
    ran = [stage.name for run in context.facts.corpus.runs for stage in run.stages]

    def place(stage: str) -> tuple[int, int, str]:
        if stage == UNREADABLE:
            return (0, 0, "")
        usual = _USUAL_ORDER.index(stage) if stage in _USUAL_ORDER else len(_USUAL_ORDER)
        return (1, ran.index(stage) if stage in ran else usual, stage)

    return sorted(stages, key=place)


def _tip(reasons: dict[str, int]) -> str:
    return "\n".join(f"{words(reason)}: {count(number)}" for reason, number in reasons.items())


def _equation(context: Context) -> Equation:
    ledger = context.facts.corpus.snapshot.ledger
    parts = ledger.kept_total + ledger.rejected_total + ledger.unreadable_total
    return Equation(
        total=(count(ledger.read), "read"),
        terms=[
            (count(ledger.kept_total), "kept"),
            (count(ledger.rejected_total), "rejected"),
            (count(ledger.unreadable_total), "unreadable"),
        ],
        closes=parts == ledger.read,
    )


def _steps(context: Context, by_stage: dict[str, dict[str, int]]) -> Table:
    ledger = context.facts.corpus.snapshot.ledger
    scale = Scale(0, max(1, ledger.read))
    remaining = ledger.read
    groups = []
    for stage, reasons in by_stage.items():
        lines: list[tuple[str | Markup, ...]] = []
        for reason, number in reasons.items():
            tip = f"{words(stage)}, {words(reason)}: {count(number)} of the {count(remaining)} still there"
            lines.append(
                (
                    words(reason),
                    count(number),
                    percent(number / max(1, ledger.read)),
                    rows.span(scale, remaining - number, remaining, tip, "warm"),
                    count(remaining - number),
                )
            )
            remaining -= number
        groups.append(Group(words(stage), lines))
    groups.append(
        Group(
            "kept",
            [
                (
                    "in the corpus",
                    count(ledger.kept_total),
                    percent(ledger.kept_total / max(1, ledger.read)),
                    rows.bar(scale, ledger.kept_total, f"{count(ledger.kept_total)} kept"),
                    count(ledger.kept_total),
                )
            ],
        )
    )
    return Table(
        [
            Column("Stage and reason", "name"),
            Column("Documents"),
            Column("Of all read"),
            Column("Removed from what was left", "chart", axis=rows.axis(scale)),
            Column("Left", minor=True),
        ],
        groups,
        caption="Every step, in the order of the pipeline. A document leaves at the first reason that applies.",
    )


def _by_language(context: Context, stages: list[str]) -> Table:
    ledger = context.facts.corpus.snapshot.ledger
    totals = ledger.language_totals()
    lost: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for name, by_language in ledger.rejected.items():
        stage, _, reason = name.partition("/")
        for lang, number in by_language.items():
            lost[lang][stage] += number
            reasons[lang, stage][reason] = number
    coloured = [stage for stage in stages if stage != UNREADABLE]
    tones = {stage: f"c{min(index, _TONES - 1)}" for index, stage in enumerate(coloured)}

    def row(lang: str) -> list[object]:
        kept, rejected = totals[lang]
        whole = max(1, kept + rejected)
        parts = [(kept / whole, "accent", f"{context.name(lang).english}: {count(kept)} kept")]
        for stage in coloured:
            number = lost[lang][stage]
            text = f"{words(stage)}: {count(number)} ({percent(number / whole)})\n{_tip(reasons[lang, stage])}"
            parts.append((number / whole, tones[stage], text))
        return [context.name(lang), count(kept + rejected), count(kept), percent(kept / whole), rows.stacked(parts)]

    key = rows.key(("bar", "accent", "kept"), *(("bar", tones[stage], words(stage)) for stage in coloured))
    return Table(
        [
            Column("Language", "language"),
            Column("Read", hint="Documents of this language, as far as it was found", minor=True),
            Column("Kept"),
            Column("Share kept"),
            Column("", "chart", axis=rows.axis(Scale(0, 1), percent_tick)),
        ],
        context.groups(list(totals), row),  # type: ignore[arg-type]
        caption="The same for every language, as shares of its documents. The language is the identified one; "
        "unreadable records have none.",
        key=key,
    )
