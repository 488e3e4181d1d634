"""What a language model sees of a text: the one cleaning and windowing shared by training and prediction."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

_MARKUP: Final = re.compile(r"<[a-zA-Z/!][^<>]{0,400}>")
_ENTITY: Final = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,6});")
_ADDRESS: Final = re.compile(r"(?:[a-z]+://|www\.)\S+|\S*@\S*")
_APOSTROPHES: Final = "\u2019\u2018\u02bc\u02bb\u00b4\u0060"
_KEPT: Final = "'\u00b9\u00b2\u00b3\u2070\u2071\u2074\u2075\u2076\u2077\u2078\u2079"
_DROPPED_CATEGORIES: Final = frozenset("PSZCN")
_ASSIGNED: Final = 0x33480
"""Letters stand below this code point; above are tags, variation selectors and private use."""
_SPACE: Final = ord(" ")
_REACH: Final = 48
"""How far a cut may move to the next white space, in characters."""
_END: Final = "\U0010ffff"
"""Stands between texts while many are cleaned at once; a noncharacter, never part of a text."""


def clean(texts: Sequence[str]) -> list[str]:
    """The letters of texts, in lower case, apart by spaces.

    Addresses, markup, digits, punctuation and symbols say little about the language and much about the page;
    they go. Combining marks stay (most scripts of India cannot be read without them), as do apostrophes, in
    one form, which are letters in many orthographies, and the superscripts that write tones.

    Args:
        texts: n texts, normalised to NFC by the caller for the best results.

    Returns:
        n texts without line breaks, perhaps of spaces alone.
    """
    if not texts:
        return []
    joined = _END.join([_without_addresses(text) for text in texts])
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    mapped = _table()[codes]
    return mapped.tobytes().decode("utf-32-le").split("\n")


def windows(text: str, count: int, size: int) -> list[str]:
    """Pieces of a text that cover it, or sample it evenly when it is longer than ``count * size``.

    Pieces begin and end at white space where there is some near the cut. A text of up to twice ``size`` is one
    piece: a model is surer of one longer piece than of two short ones.

    Args:
        text: the whole document.
        count: largest number of pieces.
        size: characters of a piece.

    Returns:
        At least one piece, in order.
    """
    length = len(text)
    if length <= 2 * size:
        return [text]
    pieces = min(count, -(-length // size))
    if pieces == 1:
        return [text[: _cut(text, size)]]
    span = min(size, -(-length // pieces))
    step = (length - span) / (pieces - 1)
    found = []
    for index in range(pieces):
        start = round(index * step)
        begin = _cut(text, start) if start else 0
        found.append(text[begin : _cut(text, min(length, start + span))])
    return found


def _cut(text: str, position: int) -> int:
    """The next blank or line end near a position, or the position itself; an address is not cut in two."""
    end = position + _REACH
    space, line = text.find(" ", position, end), text.find("\n", position, end)
    if space < 0 or 0 <= line < space:
        space = line
    return space if space >= 0 else min(position, len(text))


def _without_addresses(text: str) -> str:
    if "<" in text:
        text = _MARKUP.sub(" ", text)
    if "&" in text:
        text = _ENTITY.sub(" ", text)
    if "@" in text or "://" in text or "www." in text:
        text = _ADDRESS.sub(" ", text)
    # Joiners would cut a word in two; they are rare enough to be looked for one by one.
    if "\u200d" in text or "\u00ad" in text:
        text = text.replace("\u200d", "").replace("\u00ad", "")
    return text.replace(_END, " ") if _END in text else text


@lru_cache(maxsize=1)
def _table() -> npt.NDArray[np.uint32]:
    """Code point -> the code point it is read as."""
    table = np.full(sys.maxunicode + 1, _SPACE, dtype=np.uint32)
    for code in range(_ASSIGNED):
        letter = chr(code)
        if unicodedata.category(letter)[0] not in _DROPPED_CATEGORIES or letter in _KEPT:
            lower = letter.lower()
            table[code] = ord(lower) if len(lower) == 1 else ord(lower[0])
    table[[ord(mark) for mark in _APOSTROPHES]] = ord("'")
    table[ord(_END)] = ord("\n")
    return table
