"""Which of many curves of a figure get a name and a colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from evenglot.report.charts import Line
from evenglot.report.numbers import significant
from evenglot.report.points import Points

TONES: Final = ("accent", "warm", "c2", "c3", "c4", "c5", "ink", "soft")


def named(
    curves: Mapping[str, Points],
    chosen: Sequence[str] | None = None,
    text: Callable[[float], str] = significant,
) -> list[Line]:
    """Lines of which as many as there are colours are labelled with their name and last value, the others pale.

    Args:
        curves: by name.
        chosen: names to label; None takes those that end highest and lowest in turn.
        text: of the last values.
    """
    if chosen is None:
        chosen = extremes({name: points[-1][1] for name, points in curves.items() if points}, len(TONES))
    tones = dict(zip(chosen, TONES, strict=False))
    return [
        Line(points, f"{name} {text(points[-1][1])}", tones[name], name)
        if name in tones and points
        else Line(points, tip=name)
        for name, points in curves.items()
    ]


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
