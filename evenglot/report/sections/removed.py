"""What was removed: a table of reasons against languages, shaded by the share of each language's documents."""

from __future__ import annotations

import math

from evenglot.inspect.stages import UNREADABLE
from evenglot.report.blocks import Heat, HeatCell, HeatRow, Section
from evenglot.report.numbers import count, percent, plural
from evenglot.report.sections.context import Context, words
from evenglot.report.sections.funnel import stage_losses

_FULL = 0.2
"""Share of a language's documents at which a cell has its darkest shade."""


def removed(context: Context) -> Section | None:
    """Share of every language's documents that each reason removed."""
    ledger = context.facts.corpus.snapshot.ledger
    losses = {stage: reasons for stage, reasons in stage_losses(context).items() if stage != UNREADABLE}
    names = [(stage, reason) for stage, reasons in losses.items() for reason in reasons]
    if not names:
        return None
    totals = {lang: sum(numbers) for lang, numbers in ledger.language_totals().items()}

    def row(lang: str) -> HeatRow:
        cells = []
        for stage, reason in names:
            number = ledger.rejected[_key(stage, reason, ledger.rejected)].get(lang, 0)
            share = number / max(1, totals[lang])
            tip = f"{words(reason)}: {count(number)}" if number else ""
            cells.append(HeatCell(_percent(share) if number else "", shade(share) if number else 0, tip))
        return HeatRow(context.name(lang), count(totals[lang]), cells)

    groups = [
        (group.title, [row(cells[0]) for cells in group.rows])  # type: ignore[arg-type]
        for group in context.groups(list(totals), lambda lang: [lang])
    ]
    by_stage = [(words(stage), [words(reason) for reason in reasons]) for stage, reasons in losses.items()]
    stage, reason = max(names, key=lambda name: (losses[name[0]][name[1]], name))
    spread = sum(1 for number in ledger.rejected[_key(stage, reason, ledger.rejected)].values() if number)
    hardest = _hardest(context, totals)
    finding = (
        f"{plural(len(names), 'reason')} removed documents; “{words(reason)}” of the stage {words(stage)} "
        f"removed most, in {plural(spread, 'language')}."
    )
    if hardest:
        lang, share = hardest
        finding += (
            f" Of the languages with text left, {context.name(lang).english} lost the largest share, {percent(share)}."
        )
    heat = Heat(
        by_stage,
        groups,
        caption="Percent of the language’s documents that each reason removed; darker is more, and darkest from "
        f"{percent(_FULL)} on. Every document counts once, for the first reason that applied. To read some of them: "
        f"{context.command('--rejected REASON --lang LANG')}.",
        total="Read",
    )
    return Section("removed", "What was removed, by reason and language", "Removed", finding, [heat])


def shade(share: float) -> int:
    """From 1 for next to nothing to 10; the root keeps small shares apart."""
    return max(1, min(10, round(10 * math.sqrt(share / _FULL))))


def _hardest(context: Context, totals: dict[str, int]) -> tuple[str, float] | None:
    kept = context.facts.corpus.snapshot.ledger.kept
    shares = {lang: 1 - kept[lang] / totals[lang] for lang in totals if kept.get(lang, 0) >= 10}
    if not shares:
        return None
    lang = max(sorted(shares), key=lambda one: shares[one])
    return lang, shares[lang]


def _key(stage: str, reason: str, rejected: object) -> str:
    """The ledger's key; a reason without a stage stands under its own name."""
    name = f"{stage}/{reason}"
    return name if isinstance(rejected, dict) and name in rejected else stage


def _percent(share: float) -> str:
    value = share * 100
    return "<.1" if value < 0.05 else f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
