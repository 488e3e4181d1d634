"""A document as sentences and everything between them, and the way back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

from corpus.tags import script_of

_SPACELESS: Final = frozenset({"Hans", "Hant", "Hani", "Jpan", "Hira", "Kana"})
"""Scripts that put no space between sentences."""
_BREAK: Final = re.compile(r"\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")


@dataclass(frozen=True)
class LineLayout:
    """One line, or one paragraph that was wrapped."""

    lead: str
    """Indentation and list marks before the first sentence."""
    gaps: tuple[str, ...]
    """Between its sentences; one less than there are. Empty where a script or a cut leaves no space."""


@dataclass(frozen=True)
class Layout:
    """What ``split`` made of a document."""

    sentences: tuple[str, ...]
    """[n] without white space around them; one of a wrapped paragraph may hold line breaks."""
    passthrough: tuple[bool, ...]
    """[n] whether a sentence holds nothing to translate and is to be copied."""
    lines: tuple[LineLayout, ...]
    """In order; their sentences follow one another in ``sentences``."""
    between: tuple[str, ...]
    """Line ends, empty lines and white space before, between and behind the lines; one more than there are lines."""

    @cached_property
    def line_of(self) -> tuple[int, ...]:
        """[n] the line each sentence stands in."""
        return tuple(number for number, line in enumerate(self.lines) for _ in range(len(line.gaps) + 1))

    def rebuild(self, sentences: Sequence[str | None], lang: str | None = None) -> str:
        """The document with other sentences in the same places; with its own ones the text it came from.

        A sentence left out leaves nothing behind: no second space, no bullet without text, no second empty line. A line
        of which all is left out but what was to be copied (a number, an address) goes with it.

        Args:
            sentences: n texts; None leaves a sentence out.
            lang: tag of the language they are in, where they are translations. Then white space around and line
                breaks inside them become single spaces, sentences get a space between them, or none in Chinese and
                Japanese, and an empty translation counts as left out. Without it every gap stays as it was.

        Raises:
            ValueError: there are not n of them.
        """
        if len(sentences) != len(self.sentences):
            raise ValueError(f"{len(sentences)} sentences for a layout of {len(self.sentences)}")
        given = [*sentences] if lang is None else [" ".join(one.split()) if one else None for one in sentences]
        kept: list[tuple[int, str]] = []
        first = 0
        for number, line in enumerate(self.lines):
            last = first + len(line.gaps) + 1
            stays = [place for place in range(first, last) if given[place] is not None]
            plain = [place for place in range(first, last) if not self.passthrough[place]]
            if stays and (not plain or any(given[place] is not None for place in plain)):
                parts = [line.lead]
                for place, following in pairwise([*stays, -1]):
                    parts.append(given[place] or "")
                    if following >= 0:
                        parts.append(_gap(line.gaps[place - first], lang))
                kept.append((number, "".join(parts)))
            first = last
        if not kept:
            return "".join(self.between) if not self.lines else ""
        found = [self.between[0]]
        for (number, text), (following, _) in pairwise([*kept, (-1, "")]):
            found.append(text)
            if following >= 0:
                found.append(max(self.between[number + 1 : following + 1], key=lambda gap: len(_BREAK.findall(gap))))
        return "".join([*found, self.between[-1]])


def _gap(gap: str, lang: str | None) -> str:
    if lang is None:
        return gap
    return "" if script_of(lang) in _SPACELESS else " "
