"""Charts that stand alone: pure functions from numbers to SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from evenglot.report.numbers import compact, count, percent
from evenglot.report.points import Points
from evenglot.report.svg import (
    Scale,
    canvas,
    element,
    linear,
    per_cent,
    short,
    spread,
    stretched,
    tick_text,
    title,
)

_LABEL_GAP: Final = 14
"""Pixels from one line of label text to the next."""


@dataclass(frozen=True)
class Drop:
    """What one stage took out of the stream."""

    name: str
    records: int
    tip: str = ""


def river(read: int, drops: Sequence[Drop], kept: int, entered: str = "read") -> Markup:
    """The way of the records: a stream as thick as their number, a branch leaving it at every stage.

    Where little is lost, the stream is cut at its top, faded there, so that the branches can be told apart.

    Args:
        read: records that entered.
        drops: what left, in order.
        kept: records that arrived.
        entered: what is said of those that entered; one word.
    """
    thick = 112.0
    top = 40.0
    lost = max(1, read - kept)
    unit = max(thick / max(1, read), thick * 0.55 / lost)
    whole = is_whole(read, kept)
    widest = max((max(drop.records * unit, 1.5) for drop in drops), default=0.0)
    landing = top + thick + 26
    height = landing + widest + 42
    step = 1000 / (len(drops) + 1)
    scale = 1000 / height

    def at(x: float, y: float) -> str:
        return f"{short(x)} {short(y * scale)}"

    bottom = top + thick
    edges: list[str] = []
    branches: list[Markup] = []
    labels: list[Markup] = []
    for index, drop in enumerate(drops):
        leaves = index * step + step * 0.10
        lands = leaves + step * 0.42
        bend = (leaves + lands) / 2
        size = drop.records * unit
        drawn = max(size, 1.5)
        path = (
            f"M{at(leaves, bottom - size)} C{at(bend, bottom - size)} {at(bend, landing)} {at(lands, landing)} "
            f"L{at(lands, landing + drawn)} "
            f"C{at(bend, landing + drawn)} {at(bend, bottom - size + drawn)} {at(leaves, bottom - size + drawn)} Z"
        )
        text = f"{drop.name}: {count(drop.records)} of {count(read)} records"
        branches.append(element("path", title(drop.tip or text), d=path, class_="branch"))
        edges.append(f"L{at(leaves, bottom)} L{at(leaves, bottom - size)}")
        bottom -= size
        middle = per_cent(lands / 10)
        base = landing + drawn
        labels.append(element("text", drop.name, x=middle, y=base + 17, text_anchor="middle", class_="name"))
        numbers = f"{count(drop.records)} · {percent(drop.records / max(1, read))}"
        labels.append(element("text", numbers, x=middle, y=base + 33, text_anchor="middle", class_="tick"))
    stream = f"M{at(0, top)} L{at(0, top + thick)} {' '.join(edges)} L{at(1000, bottom)} L{at(1000, top)} Z"
    fade_name = f"{entered}-fade"
    fade = element(
        "linearGradient",
        element("stop", offset="0", class_="fade-out"),
        element("stop", offset="0.4", class_="fade-in"),
        id=fade_name,
        gradientUnits="userSpaceOnUse",
        x1=0,
        x2=0,
        y1=top * scale,
        y2=(top + thick) * scale,
    )
    kept_text = f"{count(kept)} kept · {percent(kept / max(1, read))}"
    return canvas(
        height,
        stretched(
            0,
            height,
            *(() if whole else (fade,)),
            element("path", title(kept_text), d=stream, class_="stream", fill=None if whole else f"url(#{fade_name})"),
            *branches,
        ),
        element("text", f"{count(read)} {entered}", x="0%", y=top - 12, class_="big"),
        element("text", kept_text, x="100%", y=top - 12, text_anchor="end", class_="big"),
        *labels,
        label=f"Of {count(read)} {'records read' if entered == 'read' else entered}, {count(kept)} were kept",
    )


def stairs(read: int, drops: Sequence[Drop], kept: int, entered: str = "read") -> Markup:
    """The same for narrow screens, from the top down: what is left after every stage as a bar, what left it beside.

    Bars begin at zero where much is lost, and are cut at their left where little is.
    """
    row = 34.0
    low = 0.0 if is_whole(read, kept) else kept - 0.8 * (read - kept)
    scale = Scale(low, float(max(read, 1)))
    parts: list[Markup] = []
    left = read
    steps = [(entered, 0, ""), *((drop.name, drop.records, drop.tip) for drop in drops), ("kept", 0, "")]
    for number, (name, lost, tip) in enumerate(steps):
        y = number * row
        before, left = left, left - lost
        end = scale.at(left)
        parts.append(
            element("rect", x=0, width=per_cent(end * 0.98), y=y + 17, height=12, rx=1.5, class_="fill accent")
        )
        if lost:
            wide = max(scale.at(before) - end, 0.6)
            shape = {"x": per_cent(end * 0.98), "width": per_cent(wide * 0.98)}
            parts.append(element("rect", title(tip), y=y + 17, height=12, rx=1.5, class_="fill warm", **shape))
        numbers = f"−{count(lost)} · {percent(lost / max(1, read))}" if lost else count(left)
        if name == "kept":
            numbers += f" · {percent(kept / max(1, read))}"
        parts.append(element("text", name, x=0, y=y + 12, class_="name"))
        parts.append(element("text", numbers, x="98%", y=y + 12, text_anchor="end", class_="value"))
    return canvas(row * len(steps), *parts, label=f"Of {count(read)} records read, {count(kept)} were kept")


def is_whole(read: int, kept: int) -> bool:
    """Whether a river of these numbers is drawn from zero, or cut at its top because little is lost."""
    return read - kept >= 0.55 * read


def histogram(bins: Sequence[tuple[str, int, str]], height: float = 190) -> Markup:
    """Vertical bars with their numbers on top: (label, count, tip). Heights follow the logarithm of the count.

    The logarithm, because copies fall off so steeply that a linear scale would show the first bar alone.
    """
    base, room = height - 22, height - 46
    highest = math.log1p(max((number for _, number, _ in bins), default=1) or 1)
    width = 100 / max(1, len(bins))
    parts: list[Markup] = []
    for index, (label, number, tip) in enumerate(bins):
        tall = room * math.log1p(number) / highest
        middle = per_cent((index + 0.5) * width)
        parts.append(
            element(
                "rect",
                title(tip),
                x=per_cent((index + 0.22) * width),
                width=per_cent(width * 0.56),
                y=base - tall,
                height=tall,
                rx=2,
                class_="fill accent",
            )
        )
        if number:
            parts.append(
                element("text", compact(number), x=middle, y=base - tall - 6, text_anchor="middle", class_="value")
            )
        parts.append(element("text", label, x=middle, y=height - 6, text_anchor="middle", class_="tick"))
    floor = element("line", x1="0%", x2="100%", y1=base, y2=base, class_="base")
    return canvas(height, *parts, floor, label="Histogram of copies")


def shares(
    bars: Sequence[tuple[str, str, Sequence[int]]],
    curve: Points = (),
    *,
    rules: Sequence[tuple[float, str]] = (),
    x_title: str,
    height: float = 220,
) -> Markup:
    """Counts over shares from 0 to 1, stacked, and under them a probability on the same axis.

    Args:
        bars: (name, tone, count of each of n equal bins).
        curve: (share, probability); drawn in a panel of its own, as its unit is another one.
        rules: (share, name) of vertical lines through both.
        x_title: what the shares are of.
        height: of each panel, in pixels.
    """
    parts: list[Markup] = []
    counted = [entry for entry in bars if any(entry[2])]
    top, low = 18.0, 18.0
    if counted:
        number = len(counted[0][2])
        highest = max(sum(values) for values in zip(*(entry[2] for entry in counted), strict=True))
        base, room = height - 8, height - 40
        for place in range(number):
            reached = base
            for name, tone, values in counted:
                tall = room * values[place] / highest
                if not tall:
                    continue
                tall = max(tall, 1.0)
                reached -= tall
                tip = f"{name} {place / number:.2f} to {(place + 1) / number:.2f}: {count(values[place])}"
                look = {"x": per_cent(100 * (place + 0.08) / number), "width": per_cent(100 * 0.84 / number)}
                parts.append(element("rect", title(tip), y=reached, height=tall, class_=f"fill {tone}", **look))
        parts.append(element("line", x1="0%", x2="100%", y1=base, y2=base, class_="base"))
        parts.append(element("text", f"{count(highest)} at most", x=0, y=12, class_="axis"))
        low = height
    if curve:
        top, base = low + 24, low + height * 0.6
        parts.append(element("text", "probability that a pair is compared", x=0, y=top - 8, class_="axis"))
        for value in (0.0, 0.5, 1.0):
            y = base - value * (base - top)
            parts.append(element("line", x1="0%", x2="100%", y1=y, y2=y, class_="base" if not value else "grid"))
        scale = Scale(0, 1)
        parts.append(stretched(top, base - top, _polyline(Line(curve, tone="accent", tip=x_title), scale, scale)))
        low = base + 8
    for number, (value, name) in enumerate(rules):
        parts.append(
            element("line", x1=per_cent(100 * value), x2=per_cent(100 * value), y1=16, y2=low - 8, class_="mark")
        )
        anchor, gap = ("end", -5) if value > 0.6 else ("start", 5)
        parts.append(
            element(
                "text",
                name,
                x=per_cent(100 * value),
                dx=gap,
                y=26 + _LABEL_GAP * number,
                text_anchor=anchor,
                class_="tick halo",
            )
        )
    for value in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        anchor = "start" if value == 0 else "end" if value == 1 else "middle"
        parts.append(
            element("text", f"{value:g}", x=per_cent(100 * value), y=low + 10, text_anchor=anchor, class_="tick")
        )
    parts.append(element("text", x_title, x="100%", y=low + 28, text_anchor="end", class_="axis"))
    return canvas(low + 34, *parts, label=x_title)


@dataclass(frozen=True)
class Line:
    """A curve of a line chart."""

    points: Points
    label: str = ""
    """Written at its end; lines without one stay in the background."""
    tone: str = "faint"
    tip: str = ""
    dashed: bool = False


def lines(
    curves: Sequence[Line],
    *,
    height: float = 300,
    y_text: Callable[[float], str] = tick_text,
    x_unit: str = "tokens",
    zero: bool = False,
    label: str = "",
) -> Markup:
    """Curves over tokens; those that matter are labelled where they end, the others are a pale background.

    The labels stand to the right of the drawing, in room the page leaves for them.
    """
    drawn = [curve for curve in curves if curve.points]
    if not drawn:
        return Markup("")
    x = _x_scale(drawn)
    y = (
        linear((value for curve in drawn for _, value in curve.points), zero=True)
        if zero
        else settled([c.points for c in drawn])
    )
    top, bottom = 8.0, height - 24
    parts: list[Markup] = []
    ticks: list[Markup] = []
    for value in y.ticks(5):
        place = bottom - y.at(value) / 100 * (bottom - top)
        parts.append(element("line", x1="0%", x2="100%", y1=place, y2=place, class_="grid"))
        ticks.append(element("text", y_text(value), x=0, y=place - 4, class_="tick halo"))
    for value in x.ticks(5):
        at = x.at(value)
        anchor = "start" if at < 3 else "end" if at > 97 else "middle"
        unit = f" {x_unit}" if value == x.ticks(5)[-1] else ""
        parts.append(
            element("text", tick_text(value) + unit, x=per_cent(at), y=height - 6, text_anchor=anchor, class_="tick")
        )
    parts.append(stretched(top, bottom - top, *(_polyline(curve, x, y) for curve in _behind_first(drawn)), clip=True))
    parts += ticks
    named = [curve for curve in drawn if curve.label]
    ends = [bottom - y.at(curve.points[-1][1]) / 100 * (bottom - top) for curve in named]
    for curve, end, place in zip(named, ends, spread(ends, _LABEL_GAP, top + 4, bottom), strict=True):
        parts.append(
            element("circle", cx=per_cent(x.at(curve.points[-1][0])), cy=end, r=3.5, class_=f"dot {curve.tone}")
        )
        parts.append(
            element("text", title(curve.tip), curve.label, x="100%", dx=10, y=place + 4, class_=f"label {curve.tone}")
        )
    return canvas(height, *parts, label=label or "Curves over tokens")


def settled(curves: Sequence[Points]) -> Scale:
    """A vertical scale for what follows the first 15 % of training, whose steep fall would flatten the rest."""
    places = [tokens for points in curves for tokens, _ in points]
    start = min(places) + 0.15 * (max(places) - min(places))
    late = [value for points in curves for tokens, value in points if tokens >= start]
    return linear(late)


def shared_curve(name: str, points: Points, x: Scale, y: Scale, tip: str) -> Markup:
    """A curve defined once, for panels that show it behind their own."""
    return element(
        "svg", element("defs", element("g", _polyline(Line(points, tip=tip), x, y), id=name)), class_="defined"
    )


def panel(curves: Sequence[Line], x: Scale, y: Scale, behind: str = "", height: float = 74) -> Markup:
    """A small multiple: curves on scales that all panels share, a dot at the end of each that is not faint.

    ``behind`` is the name of a shared curve.
    """
    drawn = [curve for curve in curves if curve.points]
    parts: list[Markup] = [element("line", x1="0%", x2="100%", y1=height - 1, y2=height - 1, class_="grid")]
    top, bottom = 4.0, height - 4
    shared = [element("use", href=f"#{behind}")] if behind else []
    own = [_polyline(curve, x, y) for curve in _behind_first(drawn)]
    parts.append(stretched(top, bottom - top, *shared, *own, clip=True))
    for curve in drawn:
        if curve.tone != "faint":
            tokens, value = curve.points[-1]
            place = bottom - y.at(value) / 100 * (bottom - top)
            parts.append(element("circle", cx=per_cent(x.at(tokens)), cy=place, r=3, class_=f"dot {curve.tone}"))
    return canvas(height, *parts)


@dataclass(frozen=True)
class Dot:
    """A point of a scatter plot."""

    x: float
    y: float
    label: str
    tip: str
    weight: float = 0.0
    """Points of more weight are labelled first; those with none are not."""


def scatter(
    points: Sequence[Dot],
    *,
    x: Scale,
    y: Scale,
    x_title: str,
    y_title: str,
    height: float = 320,
    x_text: Callable[[float], str] = tick_text,
    rules: Sequence[tuple[float, str]] = (),
) -> Markup:
    """Points with labels where they fit; ``rules`` are vertical lines with their names."""
    top, bottom = 26.0, height - 38
    parts: list[Markup] = [element("text", y_title, x=0, y=12, class_="axis")]
    for value in y.ticks(5):
        place = bottom - y.at(value) / 100 * (bottom - top)
        parts.append(element("line", x1="0%", x2="100%", y1=place, y2=place, class_="grid" if value else "base"))
        parts.append(element("text", tick_text(value), x=0, y=place - 4, class_="tick"))
    parts.extend(
        element("text", x_text(value), x=per_cent(x.at(value)), y=bottom + 16, text_anchor="middle", class_="tick")
        for value in x.ticks(6)
    )
    parts.append(element("text", x_title, x="100%", y=height - 4, text_anchor="end", class_="axis"))
    for value, name in rules:
        if x.low < value < x.high:
            where = per_cent(x.at(value))
            parts.append(element("line", x1=where, x2=where, y1=top, y2=bottom, class_="mark"))
            parts.append(element("text", name, x=where, dx=5, y=top + 2, class_="tick"))
    taken: list[tuple[float, float, float]] = []
    labels: list[Markup] = []
    for point in sorted(points, key=lambda dot: -dot.weight):
        at, place = x.at(point.x), bottom - y.at(point.y) / 100 * (bottom - top)
        parts.append(element("circle", title(point.tip), cx=per_cent(at), cy=place, r=5, class_="dot faint"))
        left = at > 82
        wide = 1.0 * len(point.label) + 2
        begin, end = (at - wide, at) if left else (at, at + wide)
        free = all(abs(place - other) >= _LABEL_GAP or end < first or begin > last for other, first, last in taken)
        if point.weight > 0 and free:
            taken.append((place, begin, end))
            labels.append(
                element(
                    "text",
                    point.label,
                    x=per_cent(at),
                    dx=-9 if left else 9,
                    y=place + 4,
                    text_anchor="end" if left else "start",
                    class_="name",
                )
            )
    return canvas(height, *parts, *labels, label=f"{y_title} against {x_title}")


def _behind_first(curves: Sequence[Line]) -> list[Line]:
    return sorted(curves, key=lambda curve: curve.tone != "faint")


def _x_scale(curves: Sequence[Line]) -> Scale:
    places = [tokens for curve in curves for tokens, _ in curve.points]
    low, high = min(places), max(places)
    return Scale(low, high if high > low else low + 1)


def _polyline(curve: Line, x: Scale, y: Scale) -> Markup:
    corners = " ".join(f"{x.at(tokens) * 10:.0f},{1000 - y.beyond(value) * 10:.0f}" for tokens, value in curve.points)
    look = f"stroke {curve.tone}{' dashed' if curve.dashed else ''}"
    return element("polyline", title(curve.tip), points=corners, class_=look)
