"""Text from outside made fit for a terminal: nothing in it steers the screen; long texts are cut where words end."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BIDI: Final = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Marks that turn the direction of what follows: they can make a line read as something else."""
_UNSEEN: Final = (
    0x00AD,
    0x180E,
    0x200B,
    0x2028,
    0x2029,
    0x2060,
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),
)
"""Characters without a shape. The joiners U+200C and U+200D are none of them: Persian and Hindi are spelt with them."""
_SPELT: Final = (
    {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}
    | {code: f"\\u{code:04x}" for code in (*_BIDI, *_UNSEEN) if code >= 256 and code < 0x10000}
    | {code: f"\\U{code:08x}" for code in _UNSEEN if code >= 0x10000}
    | {0x00AD: "\\xad"}
)
_BLANK_LINES: Final = re.compile(r"\n\s*\n\s*(?:\n\s*)+")
_BACK: Final = 24
"""Characters that a cut may move back to reach the end of a word."""


def visible(text: str) -> str:
    """The text with control characters, marks of direction and invisible characters spelt out.

    Line breaks and tabs stay; more than one blank line in a row becomes one.
    """
    return _BLANK_LINES.sub("\n\n", text.replace("\r\n", "\n")).translate(_SPELT)


def shortened(text: str, limit: int, around: str | None = None) -> str:
    """At most about ``limit`` characters: the beginning and the end, or the surroundings of what was searched for.

    Args:
        text: the whole text.
        limit: characters to show, without the note on what was left out.
        around: a string to keep in sight; its first occurrence in any case is in the middle of what is shown.
    """
    if len(text) <= limit:
        return text
    place = text.lower().find(around.lower()) if around else -1
    if place >= 0:
        start = max(0, min(place - (limit - len(around or "")) // 2, len(text) - limit))
        start, stop = _boundary(text, start), _boundary(text, start + limit)
        before = f"[{start:,} characters] ... " if start else ""
        after = f" ... [{len(text) - stop:,} characters]" if stop < len(text) else ""
        return f"{before}{text[start:stop]}{after}"
    head, tail = _boundary(text, limit * 3 // 4), _boundary(text, len(text) - limit // 4)
    return f"{text[:head].rstrip()} ... [{tail - head:,} characters] ... {text[tail:].lstrip()}"


def _boundary(text: str, place: int) -> int:
    """The nearest place at or before this one where a cut parts no word, and never a letter from its marks."""
    if place <= 0 or place >= len(text):
        return max(0, min(place, len(text)))
    space = max(text.rfind(" ", max(0, place - _BACK), place), text.rfind("\n", max(0, place - _BACK), place))
    if space > 0:
        return space + 1
    while place > 0 and (unicodedata.combining(text[place]) or unicodedata.category(text[place]) in ("Mn", "Mc")):
        place -= 1
    return place
