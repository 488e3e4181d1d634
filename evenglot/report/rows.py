"""Charts of one row: drawn in a table cell, on the scale that stands in the heading of its column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from markupsafe import Markup

from evenglot.report.svg import Scale, canvas, cell, element, join, per_cent, tick_text, title

HEIGHT: Final = 20
_MIDDLE: Final = HEIGHT / 2


def axis(scale: Scale, text: Callable[[float], str] = tick_text, most: int = 5) -> Markup:
    """The scale, for the heading of the column."""
    parts = []
    for number, value in enumerate(scale.ticks(most)):
        look = "tick" if number % 2 == 0 else "tick m"  # narrow screens have room for every second one
        place = scale.at(value)
        anchor = "start" if place < 4 else "end" if place > 96 else "middle"
        parts.append(element("text", text(value), x=per_cent(place), y=10, text_anchor=anchor, class_=look))
        parts.append(element("line", x1=per_cent(place), x2=per_cent(place), y1=14, y2=18, class_="grid"))
    return canvas(18, *parts)


def bar(scale: Scale, value: float, tip: str = "", tone: str = "accent") -> Markup:
    """A bar from the low end to the value."""
    width = max(scale.at(value), 0.15 if value > scale.low else 0)
    shape = element("rect", title(tip), x=0, y=5, width=per_cent(width), height=10, rx=1.5, class_=f"fill {tone}")
    return cell(shape)


def stacked(scale: Scale, parts: Sequence[tuple[float, str, str]]) -> Markup:
    """Values side by side from the low end: (value, tone, tip)."""
    shapes = []
    reached = 0.0
    for value, tone, tip in parts:
        if value > 0:
            start, end = scale.at(reached), scale.at(reached + value)
            width = per_cent(max(end - start, 0.2))
            shapes.append(
                element("rect", title(tip), x=per_cent(start), y=4, width=width, height=12, class_=f"fill {tone}")
            )
        reached += value
    return cell(*shapes)


def dumbbell(
    scale: Scale,
    before: float | None,
    after: float | None,
    tip: str = "",
    *,
    better: bool = True,
    marks: Sequence[tuple[float, str]] = (),
) -> Markup:
    """From a hollow dot to a full one; ``marks`` are further values as thin strokes with their tips.

    Args:
        scale: of the column.
        before: where the hollow dot stands; None draws none.
        after: where the full dot stands; None draws none.
        tip: shown for the whole.
        better: the tone: accent for a change the reader hopes for, the contrasting colour for the other.
        marks: other values to compare with.
    """
    tone = "accent" if better else "warm"
    parts = [
        element("line", title(text), x1=per_cent(at), x2=per_cent(at), y1=5, y2=15, class_="mark")
        for at, text in ((scale.at(value), text) for value, text in marks)
    ]
    if before is not None and after is not None:
        parts.append(
            element(
                "line",
                x1=per_cent(scale.at(before)),
                x2=per_cent(scale.at(after)),
                y1=_MIDDLE,
                y2=_MIDDLE,
                class_=f"link {tone}",
            )
        )
    if before is not None:
        parts.append(element("circle", cx=per_cent(scale.at(before)), cy=_MIDDLE, r=4, class_="dot hollow"))
    if after is not None:
        parts.append(element("circle", cx=per_cent(scale.at(after)), cy=_MIDDLE, r=4.5, class_=f"dot {tone}"))
    return cell(element("g", title(tip), *parts))


def dots(scale: Scale, values: Sequence[tuple[float, str, str]]) -> Markup:
    """Several dots on one line: (value, tone, tip)."""
    parts = [
        element("circle", title(tip), cx=per_cent(scale.at(value)), cy=_MIDDLE, r=4.5, class_=f"dot {tone}")
        for value, tone, tip in values
    ]
    rule = element("line", x1="0%", x2="100%", y1=_MIDDLE, y2=_MIDDLE, class_="rule")
    return cell(rule, *parts)


def lollipop(
    scale: Scale, value: float, tip: str = "", *, reference: float | None = None, tone: str = "accent"
) -> Markup:
    """A dot on a thin stem from a reference value (the left end without one)."""
    start = 0.0 if reference is None else scale.at(reference)
    place = scale.at(value)
    return cell(
        element(
            "g",
            title(tip),
            element("line", x1=per_cent(start), x2=per_cent(place), y1=_MIDDLE, y2=_MIDDLE, class_=f"link {tone}"),
            element("circle", cx=per_cent(place), cy=_MIDDLE, r=4.5, class_=f"dot {tone}"),
        ),
    )


def strip(scale: Scale, values: Sequence[tuple[float, int, str]], middle: float | None = None) -> Markup:
    """One translucent dot for each of many values, its area growing with how many share it; a stroke at the median.

    Args:
        scale: of the strip.
        values: (value, how many have it, tip).
        middle: the median.
    """
    parts = [
        element(
            "circle",
            title(tip),
            cx=per_cent(scale.at(value)),
            cy=_MIDDLE,
            r=min(9.0, 3 + 0.9 * many**0.5),
            class_="dot faint",
        )
        for value, many, tip in values
    ]
    rule = element("line", x1="0%", x2="100%", y1=_MIDDLE, y2=_MIDDLE, class_="rule")
    if middle is not None:
        at = per_cent(scale.at(middle))
        parts.append(element("line", x1=at, x2=at, y1=2, y2=18, class_="median"))
    return cell(rule, *parts)


def swatch(shape: str, tone: str, text: str) -> Markup:
    """An entry of a key: the mark itself (``dot``, ``hollow``, ``bar``, ``line``, ``tick``) and its meaning."""
    marks = {
        "dot": element("circle", cx=8, cy=7, r=4.5, class_=f"dot {tone}"),
        "hollow": element("circle", cx=8, cy=7, r=4, class_="dot hollow"),
        "bar": element("rect", x=1, y=2, width=14, height=10, rx=1.5, class_=f"fill {tone}"),
        "line": element("line", x1=0, x2=16, y1=7, y2=7, class_=f"stroke {tone}"),
        "tick": element("line", x1=8, x2=8, y1=1, y2=13, class_="mark"),
    }
    drawing = element("svg", marks[shape], width=16, height=14, class_="swatch", aria_hidden="true")
    return element("span", drawing, text, class_="entry")


def key(*entries: tuple[str, str, str]) -> Markup:
    """A key of several entries: (shape, tone, text)."""
    return join(swatch(shape, tone, text) for shape, tone, text in entries)
