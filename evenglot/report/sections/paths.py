"""The languages' own paths: how open their gates are, how large their adapters and how far from their start."""

from __future__ import annotations

from evenglot.report import charts
from evenglot.report.blocks import Block, Figure, Heat, HeatCell, HeatRow, Section
from evenglot.report.facts import TrainingRun
from evenglot.report.numbers import percent, percent_tick, significant
from evenglot.report.sections.context import Context, median
from evenglot.report.sections.lines import moving, named, told_by
from evenglot.report.svg import tick_text


def paths(context: Context) -> Section | None:
    """The chapter; None where no run has adapters that it logged."""
    run = told_by(context, lambda one: one.course.deviations or one.course.norms_of or one.course.gates)
    if run is None:
        return None
    course = run.course
    blocks: list[Block] = [_gates(context, run)] if course.gates else []
    for curves, text, label, caption in (
        (
            course.openness,
            percent,
            "Openness of each language’s gates over tokens",
            "How open each language’s path is, mean over the blocks. Look for languages that part from the others: a "
            "path that closes says that the core does without it.",
        ),
        (
            course.deviations,
            significant,
            "Deviation of each language’s adapters over tokens",
            "Squared distance of each language’s adapters from their start, in units of their prior variance, summed "
            "over the blocks: how much a language has made its own. Look for small languages far above the others, "
            "which may have learnt their few documents, and for languages that stay at 0, whose path is unused.",
        ),
        (
            course.norms_of,
            significant,
            "Norm of each language’s adapters over tokens",
            "Norm of all projections of each language’s adapters. It holds the start too, so look at its change, not "
            "at its height; a line that keeps rising asks for more weight decay or a stronger deviation penalty.",
        ),
    ):
        if moving(curves.values()):
            lines = named({context.name(lang).english: points for lang, points in curves.items()}, text=text)
            tick = percent_tick if curves is course.openness else tick_text
            drawn = charts.lines(lines, height=240, y_text=tick, zero=curves is not course.norms_of, label=label)
            blocks.append(Figure(drawn, caption=f"{caption} Run “{run.name}”.", labels=True))
    return Section("paths", "The languages’ own paths", "Paths", _finding(context, run), blocks)


def _finding(context: Context, run: TrainingRun) -> str:
    said = []
    deviations = {lang: points[-1][1] for lang, points in run.course.deviations.items()}
    if deviations:
        far = max(sorted(deviations), key=lambda lang: deviations[lang])
        said.append(
            f"The adapters of {context.name(far).english} went furthest from their start "
            f"({significant(deviations[far])}, {significant(median(deviations.values()))} in the median)"
        )
    open_by = _means(run)
    if open_by:
        least, most = (pick(sorted(open_by), key=lambda lang: open_by[lang]) for pick in (min, max))
        said.append(
            f"{'the' if said else 'The'} gates of {context.name(least).english} are the least open "
            f"({percent(open_by[least])}), those of {context.name(most).english} the most ({percent(open_by[most])})"
        )
    return f"{'; '.join(said)}." if said else ""


def _means(run: TrainingRun) -> dict[str, float]:
    return {lang: sum(blocks.values()) / len(blocks) for lang, blocks in run.course.gates.items() if blocks}


def _gates(context: Context, run: TrainingRun) -> Heat:
    """Openness by language and block at the end."""
    blocks = list(dict.fromkeys(block for found in run.course.gates.values() for block in found))
    means = _means(run)

    def row(lang: str) -> HeatRow:
        name, found = context.name(lang), run.course.gates[lang]
        cells = []
        for block in blocks:
            value = found.get(block)
            if value is None:
                cells.append(HeatCell("", 0, ""))
                continue
            tip = f"{name.english}, {block.replace('_', ' ')}: {percent(value)} open"
            cells.append(HeatCell(f"{100 * value:.0f}", max(1, round(10 * value)), tip))
        return HeatRow(name, percent(means[lang]), cells)

    groups = [
        (group.title, [row(cells[0]) for cells in group.rows])  # type: ignore[arg-type]
        for group in context.groups(list(means), lambda lang: [lang])
    ]
    return Heat(
        [("Block", [block.removeprefix("block_") for block in blocks])],
        groups,
        caption=f"Per cent that each language’s path is open in each block at the end of the run “{run.name}”, "
        "where the input says nothing; block 0 is the nearest to the input. Look for blocks that are closed for all "
        "languages, which need no adapters, and for languages whose row differs.",
        total="Mean",
        short=True,
        tone="a",
    )
