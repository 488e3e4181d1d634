"""Sentences in which nothing is to be translated: a model would only damage them."""

from __future__ import annotations

import re
from typing import Final

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+|www\.\S+|[^\s@]+@[^\s@]+\.\w+")
_CODE_SPAN: Final = re.compile(r"`[^`]+`|</?[A-Za-z][^<>]{0,200}>|&#?\w{1,8};")
_PATH: Final = re.compile(r"(?<!\S)(?:[~.]{0,2}/|[A-Za-z]:\\)[\w./\\~-]+(?!\S)")
_MIXED: Final = re.compile(r"[A-Za-z0-9_.:/+#%-]*\d[A-Za-z0-9_.:/+#%-]*")
_CODE_LINE: Final = re.compile(r"[;{}]\s*\Z")
_CODE_SIGNS: Final = re.compile(r"[{}\[\]=<>]|\w\(")
_SPECIAL: Final = re.compile(r"[`<&@/\\\d]|www\.|[;{}]\s*\Z")
"""A sentence without any of these has nothing that the patterns above could take out."""
_FEW: Final = 2


def is_passthrough(sentence: str) -> bool:
    """Whether a sentence is copied as it stands.

    That is so when fewer than two letters are left without addresses of pages and mail, code between backquotes,
    markup, paths, and words with digits in them. It is so for a line of a program, too, which ends in a brace or
    semicolon and holds two more signs such as ``=`` or ``f(``.

    Args:
        sentence: one sentence.
    """
    if _SPECIAL.search(sentence):
        end = _CODE_LINE.search(sentence)
        if end is not None and len(_CODE_SIGNS.findall(sentence, 0, end.start())) >= 2:
            return True
        for pattern in (_CODE_SPAN, _ADDRESS, _PATH, _MIXED):
            sentence = pattern.sub(" ", sentence)
    letters = 0
    for character in sentence:
        letters += character.isalpha()
        if letters >= _FEW:
            return False
    return not _is_word(sentence)


def _is_word(sentence: str) -> bool:
    """One ideograph or syllable may be a whole sentence (``好``), one letter is not."""
    return any(character.isalpha() and ord(character) >= 0x0900 for character in sentence)
