"""How fast training went, what memory it took, and the steps that were skipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from evenglot.report import charts
from evenglot.report.blocks import Block, Figure, Section
from evenglot.report.facts import TrainingRun
from evenglot.report.numbers import compact, count, percent, percent_tick, plural, size
from evenglot.report.points import Points
from evenglot.report.sections.context import Context, median
from evenglot.report.sections.lines import moving, run_tones
from evenglot.report.svg import tick_text

_FIGURES: Final[tuple[tuple[str, str, Callable[[float], str], Callable[[float], str], str], ...]] = (
    (
        "speed",
        "Tokens per second",
        compact,
        tick_text,
        "Tokens per second between two lines of the log, evaluations left out. Look for steps down: another process on "
        "the machine, longer documents, or a piece of the recipe that sets in.",
    ),
    (
        "mfu",
        "Share of the device’s peak",
        percent,
        percent_tick,
        "Operations of the model over what the device can do at its peak (model FLOPs utilisation), where the peak is "
        "known.",
    ),
    (
        "memory",
        "Peak memory",
        size,
        size,
        "Bytes that were in use at most so far: of the GPU by tensors, or of the whole process on a CPU. It should be "
        "level after the first steps; a line that keeps rising will end the run.",
    ),
    (
        "skipped",
        "Skipped steps",
        count,
        tick_text,
        "Steps so far that left the weights alone because loss or gradient was not finite. A few at the start do no "
        "harm; a slope asks for a lower learning rate or float32.",
    ),
)


def speed(context: Context) -> Section | None:
    """The chapter; None where no run logged how fast it was."""
    told = [run for run in context.facts.runs if run.course.speed]
    if not told:
        return None
    tones = run_tones(context)
    blocks: list[Block] = []
    for field, label, text, tick, caption in _FIGURES:
        known: list[tuple[TrainingRun, Points]] = [(run, getattr(run.course, field)) for run in told]
        if field == "skipped" and not any(points and points[-1][1] for _, points in known):
            continue
        curves = [
            charts.Line(points, f"{run.name} {text(points[-1][1])}", tones[run.name], run.name)
            for run, points in known
            if points
        ]
        if moving(line.points for line in curves):
            drawn = charts.lines(curves, height=170, zero=True, y_text=tick, label=f"{label} over tokens")
            blocks.append(Figure(drawn, caption=caption, labels=True))
    main = context.facts.run if context.facts.run in told else told[0]
    assert main is not None
    return Section("speed", "Speed and memory", "Speed", _finding(main), blocks)


def _finding(run: TrainingRun) -> str:
    course = run.course
    said = [f"{compact(median(value for _, value in course.speed))} tokens per second in the median"]
    if course.mfu:
        said.append(f"{percent(median(value for _, value in course.mfu))} of the device’s peak")
    if course.memory:
        said.append(f"{size(course.memory[-1][1])} of memory at most")
    text = f"The run “{run.name}” read {', '.join(said)}"
    if course.skipped:
        skipped = round(course.skipped[-1][1])
        text += (
            f"; {plural(skipped, 'step')} {'was' if skipped == 1 else 'were'} skipped"
            if skipped
            else "; no step was skipped"
        )
    return text + "."
