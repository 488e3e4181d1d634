"""Curves and numbers as logs hold them: whatever is no finite number, or no mapping, counts as missing."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

Points = Sequence[tuple[float, float]]
"""A curve: tokens seen, value."""
Row = dict[str, Any]
"""A line of a log."""


def mapping(value: Any) -> Row:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def number(value: Any) -> float | None:
    """The value where it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def numbers(value: Any) -> dict[str, float]:
    """The finite numbers of a mapping."""
    found = {str(key): number(item) for key, item in mapping(value).items()}
    return {key: item for key, item in found.items() if item is not None}


def thinned(points: Sequence[tuple[float, Any]], limit: int) -> Points:
    """At most ``limit`` points, evenly spaced, first and last among them; values that are no numbers drop out."""
    good = [(tokens, float(value)) for tokens, value in points if number(value) is not None]
    if len(good) <= limit:
        return good
    step = (len(good) - 1) / (limit - 1)
    return [good[round(index * step)] for index in range(limit)]


def curve(rows: Sequence[Row], field: str, limit: int) -> Points:
    """One field of the lines over the tokens seen."""
    return thinned([(row["tokens"], row.get(field)) for row in rows], limit)


def curves(rows: Sequence[Row], part: str, field: str | None, limit: int) -> dict[str, Points]:
    """Curves by what a part of the lines is keyed by, such as languages; those without a number are left out.

    Args:
        rows: lines with their tokens.
        part: name of a mapping in them.
        field: of the mapping's values; None where they are the numbers themselves.
        limit: points of a curve at most.
    """
    found: dict[str, list[tuple[float, Any]]] = defaultdict(list)
    for row in rows:
        for key, values in mapping(row.get(part)).items():
            found[key].append((row["tokens"], values if field is None else mapping(values).get(field)))
    made = {key: thinned(points, limit) for key, points in found.items()}
    return {key: points for key, points in made.items() if points}
