"""Text that says nothing of its language, whatever words it is made of: one phrase again and again, lists of words.

A model of words and letters finds a language in these, and is right about the words; but there is no text in it. The
rules look at the structure alone, so they hold in every script.
"""

from __future__ import annotations

import math
import re
import zlib
from typing import Final

from corpus.schema import NO_LANGUAGE, UNDETERMINED

FEW: Final = "few_letters"
PHRASE: Final = "repetition"
WORDS: Final = "word_list"
RULES: Final = {FEW: UNDETERMINED, PHRASE: UNDETERMINED, WORDS: NO_LANGUAGE}
"""What a document under each rule is labelled: there is language in a phrase, but no telling which text it was."""

_PROBE: Final = 16
_PLACES: Final = (0.2, 0.5, 0.8)
_TIMES: Final = 4
"""A probe of 16 characters that occurs so often at every place makes a text worth compressing."""
_COMPRESSED: Final = 0.04
"""Share of its bytes that a text of one phrase shrinks below, beside the phrase itself; prose stays above 0.18, and
children's stories that add a line to all the former ones above 0.05."""
_PHRASE_BYTES: Final = 50
_MARKS: Final = re.compile(r"[.,;:!?\u060c\u061f\u06d4\u0964\u0589\u3001\u3002\uff0c\uff01\uff1f\u1362\u104a\u104b]")
_FEWEST_WORDS: Final = 30
_DIVERSITY: Final = 0.8
"""Herdan's C (logarithm of the different words by that of all) below which words without a mark are a list."""
_SHORT: Final = 4
"""A text of so many times the few letters is long enough without counting."""
_DENSE: Final = 3
_LONGEST: Final = 1 << 14
"""Characters that are looked at."""


def structure(text: str, few_letters: int) -> str | None:
    """Why a text holds no language that could be told, or None.

    Args:
        text: a document.
        few_letters: a text with fewer letters could be in several languages.

    Returns:
        ``few_letters``; ``repetition`` for one phrase that fills the text; ``word_list`` for words from a small
        stock in any order, without a punctuation mark between them. None also for a text without letters, of which
        there is nothing to tell.
    """
    text = text[:_LONGEST]
    if len(text) < _SHORT * few_letters and 0 < weighed_letters(text) < few_letters:
        return FEW
    if _repeats(text):
        return PHRASE
    return WORDS if _is_list(text) else None


def weighed_letters(text: str) -> int:
    """Letters as they would be in an alphabet: an ideograph, a kana or a hangul syllable says as much as three."""
    letters = sum(map(str.isalpha, text))
    dense = sum("\u3040" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3" for character in text)
    return letters + (_DENSE - 1) * dense


def _repeats(text: str) -> bool:
    size = len(text)
    if size < _TIMES * _PROBE // 2:
        return False
    probe = min(_PROBE, size // (2 * _TIMES))
    for place in _PLACES:
        start = int(place * (size - probe))
        if text.count(text[start : start + probe]) < _TIMES:
            return False
    raw = text.encode("utf-8", "replace")
    return len(zlib.compress(raw, 6)) < _COMPRESSED * len(raw) + _PHRASE_BYTES


def _is_list(text: str) -> bool:
    if _MARKS.search(text) is not None:
        return False
    words = text.split()
    return len(words) >= _FEWEST_WORDS and math.log(len(set(words))) < _DIVERSITY * math.log(len(words))
