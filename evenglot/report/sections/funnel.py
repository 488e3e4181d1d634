"""Where each document went: the ledger as an equation, a stream, steps, and a bar for every language."""

from __future__ import annotations

from collections import Counter, defaultdict

from evenglot.inspect.stages import UNREADABLE, losses
from evenglot.report import charts, rows
from evenglot.report.blocks import Cell, Column, Equation, Figure, Group, Note, Section, Table
from evenglot.report.numbers import count, percent, percent_tick
from evenglot.report.sections.context import Context, words
from evenglot.report.svg import linear

_TONES = 6
"""Stages told apart by colour; further ones share the last."""


def funnel(context: Context) -> Section:
    """The funnel, overall and per language."""
    ledger = context.facts.corpus.snapshot.ledger
    entered = ledger.read + ledger.made
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
            charts.river(entered, drops, ledger.kept_total),
            caption="From what was read to what was kept. The thickness is the number of documents"
            + ("." if charts.is_whole(entered, ledger.kept_total) else "; the stream is cut at its top."),
            small=charts.stairs(entered, drops, ledger.kept_total),
        )
        reason, number = max(
            ((reason, number) for reasons in by_stage.values() for reason, number in reasons.items()),
            key=lambda item: item[1],
        )
        lost = entered - ledger.kept_total
        finding = (
            f"{count(lost)} of {count(entered)} documents ({percent(lost / max(1, entered))}) were set aside, "
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
            for block in (
                *blocks,
                figure,
                _steps(context, by_stage) if by_stage else None,
                _repairs(context),
                _by_language(context, list(by_stage)),
            )
            if block
        ],
    )


def stage_losses(context: Context) -> dict[str, dict[str, int]]:
    """Documents set aside, by stage in the order of the run and by reason, the most frequent first."""
    return losses(context.facts.corpus.snapshot.ledger)


def _tip(reasons: dict[str, int]) -> str:
    return "\n".join(f"{words(reason)}: {count(number)}" for reason, number in reasons.items())


def _equation(context: Context) -> Equation:
    ledger = context.facts.corpus.snapshot.ledger
    parts = ledger.kept_total + ledger.rejected_total + ledger.unreadable_total
    return Equation(
        total=(count(ledger.read), f"read and {count(ledger.made)} made by splitting" if ledger.made else "read"),
        terms=[
            (count(ledger.kept_total), "kept"),
            (count(ledger.rejected_total), "rejected"),
            (count(ledger.unreadable_total), "unreadable"),
        ],
        closes=parts == ledger.read + ledger.made,
    )


def _steps(context: Context, by_stage: dict[str, dict[str, int]]) -> Table:
    ledger = context.facts.corpus.snapshot.ledger
    scale = linear((number for reasons in by_stage.values() for number in reasons.values()), zero=True)
    remaining = ledger.read + ledger.made
    groups = []
    for stage, reasons in by_stage.items():
        lines: list[list[Cell]] = []
        for reason, number in reasons.items():
            tip = f"{words(stage)}, {words(reason)}: {count(number)} of the {count(remaining)} still there"
            remaining -= number
            drawing = rows.bar(scale, number, tip, "warm")
            lines.append(
                [words(reason), count(number), percent(number / max(1, ledger.read)), drawing, count(remaining)]
            )
        groups.append(Group(words(stage), lines))
    return Table(
        [
            Column("Stage and reason", "name"),
            Column("Documents"),
            Column("Of all read"),
            Column("Set aside", "chart", axis=rows.axis(scale)),
            Column("Left", minor=True),
        ],
        groups,
        caption="Every step, in the order of the pipeline. A document leaves at the first reason that applies.",
    )


def _repairs(context: Context) -> Note | None:
    """What the stages counted beside rejections, such as repairs of documents that were kept."""
    rejected = context.facts.corpus.snapshot.ledger.rejected
    reasons = {reason.partition("/")[2] for reason in rejected}
    found: Counter[str] = Counter()
    known = {*rejected, *reasons}
    for run in context.facts.corpus.runs:
        if run.made_by == "prepare":
            found.update({name: number for name, number in run.counters.items() if number and name not in known})
    if not found:
        return None
    shown = ", ".join(f"{words(name.replace('/', ' '))} {count(number)}" for name, number in found.most_common())
    return Note(f"Also counted on the way: {shown}.")


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

    shares = {lang: rejected / max(1, kept + rejected) for lang, (kept, rejected) in totals.items()}
    # A language of which nothing was kept, such as "undetermined", would flatten all others.
    scale = linear((share for lang, share in shares.items() if totals[lang][0]), zero=True)

    def row(lang: str) -> list[Cell]:
        kept, rejected = totals[lang]
        whole = max(1, kept + rejected)
        parts = []
        for stage in coloured:
            number = lost[lang][stage]
            text = f"{words(stage)}: {count(number)} ({percent(number / whole)})\n{_tip(reasons[lang, stage])}"
            parts.append((number / whole, tones[stage], text))
        return [
            context.name(lang),
            count(kept + rejected),
            count(kept),
            percent(kept / whole),
            rows.stacked(scale, parts),
        ]

    key = rows.key(*(("bar", tones[stage], words(stage)) for stage in coloured))
    return Table(
        [
            Column("Language", "language"),
            Column("Read", hint="Documents of this language, as far as it was found", minor=True),
            Column("Kept"),
            Column("Share kept"),
            Column("Set aside, by stage", "chart", axis=rows.axis(scale, percent_tick)),
        ],
        context.groups(list(totals), row),
        caption="The same for every language, as shares of its documents. The language is the identified one; "
        "unreadable records have none.",
        key=key,
    )
