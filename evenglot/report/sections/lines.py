"""Curves of a figure: whose they are, and which of many get a name and a colour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from evenglot.report.charts import Line
from evenglot.report.facts import TrainingRun
from evenglot.report.numbers import significant
from evenglot.report.points import Points
from evenglot.report.sections.context import Context

TONES: Final = ("accent", "warm", "c2", "c3", "c4", "c5", "ink", "soft")
PALE: Final = 40
"""Curves without a name that are drawn at most."""
_RUNS: Final = ("accent", "soft", "c2", "c3", "c4", "c5")


def named(
    curves: Mapping[str, Points],
    chosen: Sequence[str] | None = None,
    text: Callable[[float], str] = significant,
) -> list[Line]:
    """Lines of which as many as there are colours are labelled with their name and last value, the others pale.

    Of many pale ones some are drawn, evenly spaced by where they end; the labelled ones show the extremes.

    Args:
        curves: by name.
        chosen: names to label; None takes those that end highest and lowest in turn.
        text: of the last values.
    """
    if chosen is None:
        chosen = extremes({name: points[-1][1] for name, points in curves.items() if points}, len(TONES))
    tones = dict(zip(chosen, TONES, strict=False))
    others = sorted(
        (name for name in curves if name not in tones and curves[name]), key=lambda name: (curves[name][-1][1], name)
    )
    pale = {others[place] for place in spaced(len(others), PALE)}
    return [
        Line(points, f"{name} {text(points[-1][1])}", tones[name], name) if name in tones else Line(points, tip=name)
        for name, points in curves.items()
        if points and (name in tones or name in pale)
    ]


def spaced(number: int, most: int) -> list[int]:
    """Places of at most so many of a number of things, evenly spaced, the first and the last among them."""
    if number <= most:
        return list(range(number))
    return [round(index * (number - 1) / (most - 1)) for index in range(most)]


def extremes(values: Mapping[str, float], most: int) -> list[str]:
    """Names of at most so many values: the highest, the lowest, the second highest and so on."""
    order = sorted(values, key=lambda name: (-values[name], name))
    taken: list[str] = []
    while order and len(taken) < most:
        taken.append(order.pop(0 if len(taken) % 2 == 0 else -1))
    return taken


def steady(curves: Mapping[str, Points]) -> list[str]:
    """Names of the curves that are highest and lowest in the mean, for curves whose last point is one noisy step."""
    means = {name: sum(value for _, value in points) / len(points) for name, points in curves.items() if points}
    return extremes(means, len(TONES))


def run_tones(context: Context) -> dict[str, str]:
    """A colour for every run: accent for the one the report is about."""
    run = context.facts.run
    ordered = sorted(context.facts.runs, key=lambda one: one is not run)
    if run is None or len(ordered) == 1:
        return {one.name: "accent" for one in ordered}
    return {one.name: _RUNS[min(number, len(_RUNS) - 1)] for number, one in enumerate(ordered)}


def told_by(context: Context, tells: Callable[[TrainingRun], object]) -> TrainingRun | None:
    """The run that the report is about where it tells something, else the first that does."""
    runs = [run for run in (context.facts.run, *context.facts.runs) if run is not None]
    return next((run for run in runs if tells(run)), None)


def moving(curves: Iterable[Points]) -> bool:
    """Whether there is a curve to draw: one of two points or more."""
    return any(len(points) > 1 for points in curves)


def extent(number: int, most: int = PALE + len(TONES)) -> str:
    """How many of the languages :func:`named` draws, for a caption."""
    return "every language a line" if number <= most else f"{most} of {number} languages drawn"
