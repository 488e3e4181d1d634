"""What differs between two versions of a text: words taken out and put in, with a little of what surrounds them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

_TOKEN: Final = re.compile(r"\w+|[^\w\s]")
_CONTEXT: Final = 4
"""Unchanged words shown on either side of a change."""
_COMPARED: Final = 3000
"""Words of each version that are compared in detail; the time grows with their product."""

Kind = Literal["same", "removed", "added", "gap"]


class Change(NamedTuple):
    """A stretch of the comparison."""

    kind: Kind
    """``removed``: only the first version has it; ``added``: only the second; ``gap``: unchanged words left out."""
    text: str


def difference(first: str, second: str, *, spaced: bool = True, most: int = 6) -> list[Change]:
    """The changes from one text to the other, in order, each between a few unchanged words.

    White space is no difference.

    Args:
        first: for example the kept document.
        second: for example its copy.
        spaced: whether words are parted by spaces; otherwise characters are compared.
        most: changes shown at most; further ones are summed up in a last gap.

    Returns:
        nothing for texts that are equal.
    """
    separator = " " if spaced else ""
    a, b = _tokens(first, spaced), _tokens(second, spaced)
    head = _common(a, b)
    tail = _common(a[head:][::-1], b[head:][::-1])
    left, right = a[head : len(a) - tail], b[head : len(b) - tail]
    matcher = difflib.SequenceMatcher(None, left[:_COMPARED], right[:_COMPARED], autojunk=False)
    edits = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    if len(left) > _COMPARED or len(right) > _COMPARED:
        edits.append(("replace", min(_COMPARED, len(left)), len(left), min(_COMPARED, len(right)), len(right)))
    changes: list[Change] = []
    shown = 0
    for _, start, stop, other_start, other_stop in edits[:most]:
        between = a[shown : head + start]
        changes += _unchanged(between, separator, first=not changes)
        if stop > start:
            changes.append(Change("removed", _joined(left[start:stop], separator)))
        if other_stop > other_start:
            changes.append(Change("added", _joined(right[other_start:other_stop], separator)))
        shown = head + stop
    if len(edits) > most:
        changes.append(Change("gap", f"{len(edits) - most} more changes"))
    elif edits:
        rest = a[shown:]
        if rest:
            changes.append(Change("same", separator.join(rest[:_CONTEXT])))
        if len(rest) > _CONTEXT:
            changes.append(Change("gap", f"{len(rest) - _CONTEXT:,} more, unchanged"))
    return changes


def _tokens(text: str, spaced: bool) -> list[str]:
    return _TOKEN.findall(text) if spaced else [character for character in text if not character.isspace()]


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    length = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        length += 1
    return length


def _unchanged(tokens: Sequence[str], separator: str, *, first: bool) -> list[Change]:
    """Unchanged words before a change: its context, and that of the change before where there was one."""
    if len(tokens) <= (_CONTEXT if first else 2 * _CONTEXT):
        return [Change("same", separator.join(tokens))] if tokens else []
    before = [] if first else [Change("same", separator.join(tokens[:_CONTEXT]))]
    hidden = len(tokens) - _CONTEXT - (0 if first else _CONTEXT)
    return [*before, Change("gap", f"{hidden:,} unchanged"), Change("same", separator.join(tokens[-_CONTEXT:]))]


def _joined(tokens: Sequence[str], separator: str) -> str:
    """A changed stretch; of a long one its ends."""
    if len(tokens) <= 40:
        return separator.join(tokens)
    return f"{separator.join(tokens[:16])} ... {len(tokens) - 24:,} ... {separator.join(tokens[-8:])}"
