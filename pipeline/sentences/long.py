"""Sentences too long for a translation model, cut where it hurts least."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import Final

_DENSE: Final = 3
"""Letters of an alphabet that an ideograph, a kana or a hangul syllable stands for."""
_DENSE_CHARACTER: Final = re.compile("[\u3040-\u9fff\uac00-\ud7a3]")
_PLACES: Final = (
    re.compile(r"[;:\u061b\u0387\uff1b\uff1a\u1363-\u1366]\s*"),
    re.compile(r"[,\u060c\u3001\uff0c\u055d\u104a]\s*|\s+[\u2013\u2014-]\s+|[\u2014]"),
    re.compile(r"\s+"),
)
"""Semicolons and colons, then commas and dashes, then white space."""


def cut_long(text: str, longest: int) -> list[int]:
    """Where to cut a sentence so that no part is longer than allowed.

    Each part ends at the strongest place there is between half of an equal share and what a part may hold (semicolon
    or colon, else comma or dash, else white space, else between two characters), of several at the one nearest to the
    equal share.

    Args:
        text: a sentence.
        longest: letters of a part; an ideograph, a kana or a hangul syllable counts for three.

    Returns:
        positions inside the text, ascending; none where it is short enough.
    """
    if len(text) * _DENSE <= longest or (len(text) <= longest and not _DENSE_CHARACTER.search(text)):
        return []
    before = [0, *accumulate(_weight(character) for character in text)]
    cuts: list[int] = []
    start = 0
    while before[-1] - before[start] > longest:
        left = before[-1] - before[start]
        share = left / -(-left // longest)
        first = max(bisect_left(before, before[start] + share / 2), start + 1)
        middle = bisect_left(before, before[start] + share)
        last = max(bisect_right(before, before[start] + longest) - 1, start + 1)
        start = _best(text, start, first, middle, last)
        cuts.append(start)
    return cuts


def _best(text: str, start: int, first: int, middle: int, last: int) -> int:
    """The strongest place in [first, last], the nearest to the middle of them."""
    for place in _PLACES:
        ends = [end for match in place.finditer(text, start, last + 1) if first <= (end := match.end()) <= last]
        if ends:
            return min(ends, key=lambda end: abs(end - middle))
    cut = middle
    # A mark is never parted from its letter, if there is another place.
    while cut > first and unicodedata.category(text[cut])[0] == "M":
        cut -= 1
    return cut


def _weight(character: str) -> int:
    return _DENSE if _DENSE_CHARACTER.match(character) else 1
