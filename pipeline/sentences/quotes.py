"""Sentences inside quotations: the splitter leaves a quotation whole, translation wants its sentences.

It looks for a pair of quotation marks and lets no sentence end between them. An apostrophe, or a mark without its
partner, then swallows all sentences up to the next one. So quotation marks are hidden from it, and put in their place
afterwards.
"""

from __future__ import annotations

import re
from typing import Final

_MARKS: Final = (
    "\"'`\u00b4\u00ab\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a\u300c\u300d\u300e\u300f"
)
_OPENING: Final = frozenset("\u201e\u201a\u300c\u300e\u300a\u3008\uff08(\u00bf\u00a1")
"""Marks that begin something wherever they stand; of others the side of the space tells."""
_QUOTE: Final = re.compile(f"[{_MARKS}]")
_INSIDE: Final = re.compile(f"(?<=\\w)[{_MARKS}](?=\\w)")
"""An apostrophe, or the mark of a glottal stop."""
_AFTER: Final = re.compile(r"[\s,;:.!?)\]\u060c\u061b\u3001\uff0c\uff1b\uff1a]")
_LETTER: Final = re.compile(r"\w")


def hidden(text: str) -> str:
    """The text with a letter for each apostrophe inside a word and a space for each quotation mark; of equal length."""
    return _QUOTE.sub(" ", _INSIDE.sub("x", text))


def end_of_sentence(text: str, end: int) -> int | None:
    """Where a sentence ends that ends there with the quotation marks hidden.

    Args:
        text: the whole line.
        end: where the splitter ends the sentence, white space behind it included.

    Returns:
        the position behind the closing marks, before the space; None where the sentence goes on behind a quotation
        (``"Why?" she asked``).
    """
    start = end
    while start > 0 and (text[start - 1].isspace() or text[start - 1] in _MARKS):
        start -= 1
    stop = start
    while stop < len(text) and text[stop] in _MARKS and text[stop] not in _OPENING:
        stop += 1
    if stop == start:
        return start
    rest = text[stop:].lstrip()
    if not rest:
        return end
    following = _LETTER.search(rest)
    if _AFTER.match(rest) or (following is not None and following.start() == 0 and rest[0].islower()):
        return None
    return stop
