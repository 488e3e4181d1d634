"""Gradient conflict: how the gradients of groups of languages stood to each other over the run."""

from __future__ import annotations

import re
from typing import Final

import langcodes

from corpus.tags import is_tag
from evenglot.report import charts
from evenglot.report.blocks import Block, Cell, Column, Figure, Group, HeatMap, HeatMaps, Section, Table
from evenglot.report.course import Conflict
from evenglot.report.facts import TrainingRun
from evenglot.report.numbers import compact, count, percent, percent_tick, plural, signed, significant
from evenglot.report.sections.context import Context, median
from evenglot.report.sections.lines import named, spaced, steady
from evenglot.report.svg import tick_text

MAPS: Final = 6
"""Measurements drawn at most."""
_PAIRS: Final = 10
"""Pairs of groups listed."""
_SHADES: Final = 10


def conflict(context: Context) -> Section | None:
    """The chapter, of the run that the report is about or else of the first that measured; None where none did."""
    candidates = [run for run in (context.facts.run, *context.facts.runs) if run is not None and run.course.conflicts]
    if not candidates:
        return None
    run = candidates[0]
    blocks: list[Block] = [_maps(context, run)]
    if run.course.conflicts[-1].between:
        blocks.append(_pairs(context, run))
    blocks += _curves(context, run)
    return Section(
        "conflict", "Gradient conflict between groups of languages", "Conflict", _finding(context, run), blocks
    )


def shade(value: float, highest: float) -> str:
    """The class of a cell on a scale that diverges around 0: ``a`` where gradients agree, ``h`` where they oppose.

    Args:
        value: a cosine.
        highest: the absolute value that gets the darkest shade.
    """
    level = round(_SHADES * min(1.0, abs(value) / highest)) if highest else 0
    return "" if not level else f"{'a' if value > 0 else 'h'}{level}"


def readable(context: Context, group: str) -> str:
    """What a group is called: a language or script by its name."""
    if is_tag(group):
        return context.name(group).english
    if re.fullmatch("[A-Z][a-z]{3}", group):
        try:
            name = str(langcodes.Language.make(script=group).script_name())
        except (ValueError, LookupError):
            return group
        if name.startswith("Unknown"):
            return group
        return f"{name} Han" if group in ("Hans", "Hant") else name
    return group


def _finding(context: Context, run: TrainingRun) -> str:
    last = run.course.conflicts[-1]
    if not last.between:
        return "No two groups were measured in the same step."
    (first, second), lowest = min(last.between.items(), key=lambda item: (item[1], item[0]))
    names = f"{readable(context, first)} and {readable(context, second)}"
    opposed = sum(value < 0 for value in last.between.values())
    if opposed:
        text = (
            f"At step {count(last.step)} the gradients of {opposed} of {plural(len(last.between), 'pair')} of groups "
            f"oppose each other, those of {names} most ({signed(lowest, 2)})"
        )
    else:
        text = (
            f"At step {count(last.step)} no two groups’ gradients oppose each other; the lowest cosine is that of "
            f"{names} ({signed(lowest, 2)})"
        )
    if last.within:
        halves = signed(median(last.within.values()), 2)
        text += f". Two halves of one group’s own documents reach {halves} in the median"
    return text + "."


def _maps(context: Context, run: TrainingRun) -> HeatMaps:
    measured = run.course.conflicts
    shown = [measured[place] for place in spaced(len(measured), MAPS)]
    highest = max(abs(value) for one in shown for value in one.cosines.values())

    def drawn(one: Conflict) -> HeatMap:
        names = [(group, readable(context, group)) for group in one.groups]
        lines = []
        for first, down in names:
            line = []
            for second, across in names:
                value = one.cosine(first, second)
                who = f"two halves of {down}" if first == second else f"{down} and {across}"
                tip = f"{who}: {'not measured yet' if value is None else signed(value)}"
                text = "" if value is None else _short(value)
                line.append((text, "" if value is None else shade(value, highest), tip))
            lines.append(line)
        heads = [(name, ", ".join(context.name(tag).english for tag in one.groups[group])) for group, name in names]
        return HeatMap(f"step {count(one.step)} · {compact(one.tokens)} tokens", heads, lines)

    left = len(measured) - len(shown)
    caption = (
        f"Cosines between the gradients of groups of languages on the shared core, run “{run.name}”, running means up "
        "to that step. Above 0 what helps one group helps the other; below 0 a step for the one undoes part of the "
        "other’s. The diagonal, framed, is the yardstick: the cosine between two halves of one group’s own documents, "
        "which is what the noise of so few rows leaves of perfect agreement. Look for cells that are far below the "
        "diagonal cells of their row and column, and for cells that turn over the run; a low cell beside a low "
        "diagonal says little. Empty cells were not measured yet."
    )
    note = f"{plural(len(shown), 'measurement')} of {len(measured)}, evenly spaced." if left else ""
    return HeatMaps([drawn(one) for one in shown], caption, f"−{highest:.2f}", f"+{highest:.2f}", note)


def _short(value: float) -> str:
    """A cosine in the room of a cell: ``.12``, ``−.30``."""
    text = f"{abs(value):.2f}"
    text = text[1:] if text.startswith("0") else text
    return f"−{text}" if value < 0 and text != ".00" else text


def _pairs(context: Context, run: TrainingRun) -> Table:
    """The pairs that agree least at the end, with where they began and what their noise would allow."""
    last = run.course.conflicts[-1]
    lowest = sorted(last.between.items(), key=lambda item: (item[1], item[0]))[:_PAIRS]

    def row(first: str, second: str, value: float) -> list[Cell]:
        began = next(found for one in run.course.conflicts if (found := one.cosine(first, second)) is not None)
        halves = [last.within.get(name) for name in (first, second)]
        return [
            f"{readable(context, first)} and {readable(context, second)}",
            signed(began, 2),
            signed(value, 2),
            *("" if half is None else signed(half, 2) for half in halves),
        ]

    return Table(
        [
            Column("Groups", "name"),
            Column("First measured"),
            Column("At the end"),
            Column("Halves of the first", hint="Cosine between two halves of the first group’s documents"),
            Column("Halves of the second", hint="Cosine between two halves of the second group’s documents"),
        ],
        [Group("", [row(*pair, value) for pair, value in lowest])],
        caption="The pairs of groups that agree least at the end."
        if len(lowest) < len(last.between)
        else "All pairs of groups, those that agree least first.",
    )


def _part(value: float) -> str:
    """A share that may be below 0."""
    return percent(value).replace("-", "−")


def _curves(context: Context, run: TrainingRun) -> list[Block]:
    found: list[Block] = []
    names = {group: readable(context, group) for one in run.course.conflicts for group in one.groups}
    shares = {names.get(group, group): points for group, points in run.course.shares.items()}
    norms = {names.get(group, group): points for group, points in run.course.norms.items()}
    blocks = {f"block {number}": points for number, points in run.course.blocks.items()}
    for curves, label, caption in (
        (
            shares,
            "Part of each group in the gradient over tokens",
            "Part of each group in the step’s gradient; the parts sum to 100\u202f%. A group below 0 is one that the "
            "step moves against. A part far above the group’s share of the tokens says that it steers the core.",
        ),
        (
            norms,
            "Gradient norm of each group over tokens",
            "Norm of the gradient of each group’s mean loss, each step by itself. A group that stays above the others "
            "is one the core has not settled for: it is hard, or new, or noisy because few rows of it were read.",
        ),
        (
            blocks,
            "Mean cosine in each block over tokens",
            "Mean cosine between the groups in each block, 0 the nearest to the input. Blocks that sink below the "
            "others are where languages compete; adapters help there first.",
        ),
    ):
        if any(len(points) > 1 for points in curves.values()):
            parts = curves is shares
            lines = named(curves, steady(curves), text=_part if parts else significant)
            drawn = charts.lines(lines, height=240, zero=True, y_text=percent_tick if parts else tick_text, label=label)
            found.append(Figure(drawn, caption=f"{caption} Run “{run.name}”.", labels=True))
    return found
