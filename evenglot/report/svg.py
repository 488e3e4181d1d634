"""SVG elements and scales.

Charts have no fixed width: horizontal positions are percentages of whatever width the page gives, vertical
ones are pixels, so that text and strokes keep their size from a telephone to a wall. Colours come from the
style sheet's classes; nothing here knows them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from evenglot.report.numbers import compact, significant


def element(name: str, *children: str | Markup, **attributes: str | float | None) -> Markup:
    """An SVG element; children and values are escaped, ``class_`` is ``class``, ``text_anchor`` ``text-anchor``.

    Attributes that are None are left out; numbers are written with two decimals at most.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value if isinstance(value, str) else short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}/>" if not inner else f"<{name}{written}>{inner}</{name}>")  # noqa: S704


def join(parts: Iterable[Markup]) -> Markup:
    """Elements one after the other."""
    return Markup("").join(parts)


def short(value: float) -> str:
    """A coordinate, as short as two decimals allow."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def per_cent(value: float) -> str:
    """A horizontal position."""
    return f"{short(value)}%"


def title(text: str) -> Markup:
    """What browsers show when the pointer rests on the parent element, and screen readers read."""
    return element("title", text) if text else Markup("")


def canvas(height: float, *children: Markup, label: str = "", class_: str = "chart") -> Markup:
    """The outermost element of a chart: as wide as its surroundings, of a fixed height in pixels."""
    return element(
        "svg", *children, class_=class_, height=height, role="img" if label else None, aria_label=label or None
    )


def cell(*children: Markup) -> Markup:
    """The outermost element of a chart in a table cell; the style sheet gives all of them one height."""
    return element("svg", *children)


def stretched(y: float, height: float, *children: Markup, clip: bool = False) -> Markup:
    """An area with coordinates from 0 to 1000 in both directions, stretched to the width and to its height."""
    return element(
        "svg",
        *children,
        y=y,
        width="100%",
        height=height,
        viewBox="0 0 1000 1000",
        preserveAspectRatio="none",
        class_="clip" if clip else "area",
    )


@dataclass(frozen=True)
class Scale:
    """From values to percent of the width (or height)."""

    low: float
    high: float
    log: bool = False

    def at(self, value: float) -> float:
        """0 at the low end, 100 at the high end; values outside are moved to the nearer end."""
        return min(100.0, max(0.0, self.beyond(value)))

    def beyond(self, value: float) -> float:
        """The same for a linear scale, without moving values that lie outside."""
        if self.log:
            return 100 * math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return 100 * (value - self.low) / (self.high - self.low)

    def ticks(self, most: int = 5) -> list[float]:
        """Round values within the scale, at most about ``most`` of them."""
        return _log_ticks(self.low, self.high, most) if self.log else _linear_ticks(self.low, self.high, most)


def linear(values: Iterable[float], *, zero: bool = False) -> Scale:
    """A linear scale over the values with a little room at both ends; from 0 upwards on request."""
    found = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(found), max(found)
    if zero:
        low, high = min(0.0, low), max(0.0, high)
    if low == high:
        low, high = low - (0 if zero else 0.5), high + 0.5
    room = (high - low) * 0.04
    return Scale(low if zero and low == 0 else low - room, high + room)


def logarithmic(values: Iterable[float]) -> Scale:
    """A logarithmic scale over the positive values, with a little room at both ends."""
    found = [value for value in values if math.isfinite(value) and value > 0] or [1.0, 10.0]
    low, high = min(found), max(found)
    room = (high / low) ** 0.04 if high > low else 1.5
    return Scale(low / room, high * room, log=True)


def _linear_ticks(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    decades = [10.0**power for power in range(first, last + 1)]
    if len(decades) >= 3:
        stride = math.ceil(len(decades) / most)
        return decades[::stride]
    for factors in ((1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        found = [
            factor * 10.0**power
            for power in range(first - 1, last + 1)
            for factor in factors
            if low <= factor * 10.0**power <= high
        ]
        if len(found) >= 3:
            return found[:: math.ceil(len(found) / most)]
    return _linear_ticks(low, high, most)


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move labels apart: places at least ``gap`` from each other, between low and high, in the same order.

    When they do not all fit, the gap shrinks.
    """
    if not places:
        return []
    order = sorted(range(len(places)), key=lambda index: places[index])
    gap = min(gap, (high - low) / max(1, len(places) - 1))
    moved: list[float] = []
    for index in order:
        wanted = min(high, max(low, places[index]))
        moved.append(wanted if not moved else max(wanted, moved[-1] + gap))
    limit = high
    for position in reversed(range(len(moved))):
        moved[position] = min(moved[position], limit)
        limit = moved[position] - gap
    result = [0.0] * len(places)
    for position, index in enumerate(order):
        result[index] = moved[position]
    return result


def tick_text(value: float) -> str:
    """The label of a tick."""
    if abs(value) >= 10_000:
        return compact(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else significant(value)
