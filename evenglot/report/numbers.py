"""Numbers as people read them."""

from __future__ import annotations

import math
from typing import Final

THIN: Final = "\u202f"
"""Narrow no-break space, between a number and its unit."""
_BYTE_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")


def count(value: float) -> str:
    """A whole number with thousands separated: ``16,779``."""
    return f"{round(value):,}"


def compact(value: float) -> str:
    """At most three digits and a magnitude: ``16.8k``, ``2.4M``."""
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit * 0.9995:
            return f"{significant(value / limit)}{unit}"
    return significant(value)


def significant(value: float, digits: int = 3, *, keep: bool = False) -> str:
    """A number to so many significant digits, without an exponent and with six decimals at most.

    Args:
        value: the number.
        digits: significant digits.
        keep: whether zeros at the end stay, as columns of numbers want it.
    """
    if not math.isfinite(value):
        return "\u2013"
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{min(places, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text and not keep else text


def size(value: float) -> str:
    """Bytes in decimal units: ``49.0 MB``."""
    power = 0
    while abs(value) >= 999.5 and power < len(_BYTE_UNITS) - 1:
        value /= 1000
        power += 1
    number = f"{value:.0f}" if power == 0 or value >= 99.95 else f"{value:.1f}"
    return f"{number}{THIN}{_BYTE_UNITS[power]}"


def percent(share: float) -> str:
    """A share as a percentage with as many decimals as it deserves: ``73 %``, ``4.2 %``, ``< 0.01 %``."""
    value = share * 100
    if value == 0:
        return f"0{THIN}%"
    if abs(value) < 0.01:
        return f"<{THIN}0.01{THIN}%"
    decimals = 2 if abs(value) < 1 else 1
    text = f"{value:.{decimals}f}"
    return f"{text.rstrip('0').rstrip('.') if abs(value) >= 99.95 else text}{THIN}%"


def percent_tick(share: float) -> str:
    """A round share on a scale: ``20 %``."""
    return f"{significant(share * 100)}{THIN}%"


def times(value: float) -> str:
    """A factor: ``×4.2``."""
    return f"×{significant(value, 2, keep=True)}" if value < 99.5 else f"×{value:,.0f}"


def duration(seconds: float) -> str:
    """``820 ms``, ``12.4 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}{THIN}ms"
    if seconds < 59.95:
        return f"{seconds:.1f}{THIN}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{THIN}min {rest:02d}{THIN}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{THIN}h {minutes:02d}{THIN}min"


def signed(value: float, decimals: int = 3) -> str:
    """A difference with its sign, a true minus included: ``+0.120``, ``−1.300``."""
    text = f"{abs(value):.{decimals}f}"
    if not float(text):
        return text
    return ("+" if value > 0 else "\u2212") + text


def plural(number: int, one: str, many: str | None = None) -> str:
    """``1 document``, ``2 documents``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
