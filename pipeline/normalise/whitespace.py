"""Blanks and line ends."""

from __future__ import annotations

import re

_LINE_END = re.compile(r"\r\n?")
_BLANK = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_RUN = re.compile(r"(?<=[^\s])[ \t]{2,}")
_EMPTY_LINES = re.compile(r"\n{4,}")


def repair(text: str) -> str:
    """Unix line ends, plain blanks, one between words, none at line ends, at most two empty lines in a row.

    Tabs stay where they divide columns, and blanks that begin a line: they are indentation. Patterns that end
    in a class are tried at few places only; backtracking over a long run of blanks would be quadratic.
    """
    if "\r" in text:
        text = _LINE_END.sub("\n", text)
    text = _BLANK.sub(" ", text)
    text = _RUN.sub(lambda match: "\t" if "\t" in match[0] else " ", text)
    if " \n" in text or "\t\n" in text:
        text = "\n".join([line.rstrip(" \t") for line in text.split("\n")])
    text = _EMPTY_LINES.sub("\n\n\n", text)
    return text.strip(" \t\n") if text[:1] in ("\n", " ", "\t") or text[-1:] in ("\n", " ", "\t") else text
