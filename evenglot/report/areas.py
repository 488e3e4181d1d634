"""Shares over the course of training as stacked areas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from evenglot.report.numbers import percent
from evenglot.report.svg import Scale, canvas, element, per_cent, stretched, tick_text, title

_LABEL_GAP: Final = 14


def areas(
    ends: Sequence[float],
    layers: Sequence[tuple[str, str, Sequence[float]]],
    *,
    rules: Sequence[tuple[float, str]] = (),
    height: float = 260,
    label: str = "Shares over tokens",
) -> Markup:
    """Layers that fill the height at every moment, the first at the bottom; they are constant within a stretch.

    Args:
        ends: tokens at the end of each of n stretches, ascending; the first begins at 0.
        layers: (name, tone, share in each of the n stretches); the shares of a stretch sum to 1.
        rules: (tokens, name) of vertical lines.
        height: in pixels.
        label: of the whole drawing, for screen readers.
    """
    x = Scale(0, ends[-1])
    top, bottom = 26.0, height - 24
    reached = [0.0] * len(ends)
    shapes = []
    for name, tone, shares in layers:
        upper = [low + share for low, share in zip(reached, shares, strict=True)]
        corners = [*_steps(ends, upper, x), *reversed(_steps(ends, reached, x))]
        points = " ".join(f"{across:.1f},{1000 - 1000 * min(up, 1.0):.1f}" for across, up in corners)
        mean = (
            sum(share * (end - start) for share, start, end in zip(shares, [0.0, *ends], ends, strict=False)) / ends[-1]
        )
        shapes.append(
            element("polygon", title(f"{name}: {percent(mean)} of all tokens"), points=points, class_=f"fill {tone}")
        )
        reached = upper
    parts = [stretched(top, bottom - top, *shapes, clip=True)]
    for share in (0.0, 0.5, 1.0):
        place = bottom - share * (bottom - top)
        parts.append(element("line", x1="0%", x2="100%", y1=place, y2=place, class_="grid" if share else "base"))
    parts.append(element("text", "share of the tokens", x=0, y=12, class_="axis"))
    ticks = x.ticks(5)
    for value in ticks:
        anchor = "start" if x.at(value) < 3 else "end" if x.at(value) > 97 else "middle"
        text = tick_text(value) + (" tokens" if value == ticks[-1] else "")
        parts.append(element("text", text, x=per_cent(x.at(value)), y=height - 6, text_anchor=anchor, class_="tick"))
    for number, (tokens, name) in enumerate(rules):
        at = x.at(tokens)
        parts.append(element("line", x1=per_cent(at), x2=per_cent(at), y1=16, y2=bottom, class_="mark"))
        anchor, gap = ("end", -5) if at > 60 else ("start", 5)
        place = top + 10 + _LABEL_GAP * (number % 3)
        parts.append(element("text", name, x=per_cent(at), dx=gap, y=place, text_anchor=anchor, class_="tick halo"))
    return canvas(height, *parts, label=label)


def _steps(ends: Sequence[float], values: Sequence[float], x: Scale) -> list[tuple[float, float]]:
    """Corners of a line that is level in each stretch, from left to right, in thousandths of the width."""
    corners = []
    start = 0.0
    for end, value in zip(ends, values, strict=True):
        corners += [(10 * x.at(start), value), (10 * x.at(end), value)]
        start = end
    return corners
