"""The lines of a text: what begins them, what stands between them, and which of them are one paragraph wrapped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_BREAK: Final = re.compile(r"\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
_LEAD: Final = re.compile(
    r"\s*(?:(?:[-*+\u2022\u2023\u2043\u25aa-\u25ab\u25cf\u25cb\u25e6\u00b7\u2013\u2014>]|#{1,6}|\(?[0-9a-z]{1,3}\)|\d{1,3}\.)"
    r"(?:\s+|\Z)"
    r"|[\u2022\u25cf\u25aa\u30fb])*"
)
"""Indentation, quote marks, heading marks, bullets, numbers of lists."""
_FINAL: Final = re.compile(
    r"[.!?:;\u2026\u0589\u061f\u06d4\u0964\u0965\u1362\u17d4\u17d5\u104b\u0f0d\u3002\uff01\uff1f\uff1a]\W*\Z"
)
_WRAPPED: Final = 50
"""Characters from which on a line may have been broken for its length."""
_FULL: Final = 0.75
"""Share of the longest line's length that a wrapped paragraph's other lines have, the last one left aside."""


@dataclass(frozen=True)
class Line:
    """One line of a text, or several that are one paragraph broken by width."""

    lead: str
    """Indentation and list marks."""
    body: str
    """The rest without white space around it, never empty; of a wrapped paragraph with its line breaks."""
    fenced: bool = False
    """Whether the line lies in a fenced block of code, or is the fence."""


def cut_lines(text: str) -> tuple[list[Line], list[str]]:
    """Lines that hold something, and what stands before, between and behind them.

    A list mark without anything behind it counts as what stands between. Joined in turn, separators and lines
    (lead and body) give the text again.

    Args:
        text: a whole document.

    Returns:
        n lines and n + 1 separators.
    """
    lines: list[Line] = []
    between = [""]
    position, fenced = 0, False
    while position < len(text):
        match = _BREAK.search(text, position)
        stop, end = (match.start(), match.end()) if match else (len(text), len(text))
        raw = text[position:stop]
        fence = raw.lstrip().startswith(("```", "~~~"))
        lead = _LEAD.match(raw)
        start = lead.end() if lead and not (fenced or fence) else len(raw) - len(raw.lstrip())
        body = raw[start:].rstrip()
        if body:
            lines.append(Line(raw[:start], body, fenced or fence))
            between.append(raw[start + len(body) :] + text[stop:end])
        else:
            between[-1] += text[position:end]
        fenced ^= fence
        position = end
    return _unwrap(lines, between)


def _unwrap(lines: list[Line], between: list[str]) -> tuple[list[Line], list[str]]:
    """Join the lines of paragraphs that were broken by width: their sentences go across the breaks."""
    found: list[Line] = []
    gaps = [between[0]]
    start = 0
    while start < len(lines):
        stop = start + 1
        while stop < len(lines) and not lines[stop].lead and not lines[stop].fenced and _is_break(between[stop]):
            stop += 1
        if stop - start > 1 and not lines[start].fenced and _is_wrapped([line.body for line in lines[start:stop]]):
            body = lines[start].body
            for place in range(start + 1, stop):
                body += between[place] + lines[place].body
            found.append(Line(lines[start].lead, body))
            gaps.append(between[stop])
        else:
            found += lines[start:stop]
            gaps += between[start + 1 : stop + 1]
        start = stop
    return found, gaps


def _is_break(gap: str) -> bool:
    """Whether a separator is one line end, nothing more."""
    return len(_BREAK.findall(gap)) == 1 and not gap.strip()


def _is_wrapped(bodies: list[str]) -> bool:
    """Whether lines without an empty one between them are one paragraph.

    All but the last are nearly as long as the longest, and at least half of the breaks stand where no sentence, heading
    or clause ends; of two lines the second must begin in lower case, since two headings look the same.
    """
    widths = [len(body) for body in bodies]
    most = max(widths)
    if most < _WRAPPED or any(width < _FULL * most for width in widths[:-1]):
        return False
    if len(bodies) == 2 and not bodies[1][0].islower():
        return False
    inside = sum(_FINAL.search(body) is None for body in bodies[:-1])
    return 2 * inside >= len(bodies) - 1
