"""What kind of character each code point is, as far as the quality features must know."""

from __future__ import annotations

from enum import IntEnum
from functools import cache

import numpy as np
import numpy.typing as npt

from pipeline.script.unicode import SIZE, property_ranges


class Kind(IntEnum):
    """One byte a code point; the order matters: words are made of the kinds from LETTER to NUMBER."""

    OTHER = 0
    """Controls, unassigned, private use."""
    SPACE = 1
    NEWLINE = 2
    LETTER = 3
    """Of a script that writes spaces between words."""
    UNSPACED = 4
    """Letter of a script that does not: each counts as a word."""
    MARK = 5
    """Combining mark, part of the word it stands in."""
    NUMBER = 6
    TERMINAL = 7
    """Ends a sentence, in any script."""
    PUNCTUATION = 8
    CODE = 9
    """Common in markup and programs, rare in prose."""
    SYMBOL = 10


KINDS = len(Kind)

UNSPACED_SCRIPTS = (
    "Hani", "Hira", "Kana", "Bopo", "Yiii", "Tang", "Nshu", "Kits", "Thai", "Laoo", "Khmr", "Mymr", "Tibt", "Java",
    "Bali", "Tale", "Talu", "Lana", "Tavt", "Cham", "Ahom", "Khar", "Egyp", "Xsux",
)  # fmt: skip
"""Scripts without spaces between words (or, as in Tibetan, between syllables)."""

BULLETS = "-*•·‣▪▫◦●○■□–—»>+→►▸✓✔✗★☆"
"""Characters that begin an item of a list when they begin a line."""

CLOSERS = "\"'”’»›)]}」』）】〉》*_`"
"""Characters that may follow the mark that ends a sentence."""

_CODE = "{}<>=[]\\_|;#$@^`~&%+/"


@cache
def kind_table() -> npt.NDArray[np.uint8]:
    """The kind of every code point; shape (0x110000,)."""
    table = np.full(SIZE, Kind.OTHER, np.uint8)
    for names, kind in (
        (("Z",), Kind.SPACE),
        (("L",), Kind.LETTER),
        (("M",), Kind.MARK),
        (("N",), Kind.NUMBER),
        (("P",), Kind.PUNCTUATION),
        (("S",), Kind.SYMBOL),
        (("Sentence_Terminal",), Kind.TERMINAL),
    ):
        for name in names:
            for start, stop in property_ranges(name):
                table[start:stop] = kind
    for script in UNSPACED_SCRIPTS:
        for start, stop in property_ranges(f"Script={script}"):
            part = table[start:stop]
            part[part == Kind.LETTER] = Kind.UNSPACED
    # Thai ends sentences with spaces, Ethiopic words with a mark of their own, Arabic-script text may end with
    # the ellipsis; what Unicode leaves out of Sentence_Terminal but ends a line like one is added here.
    for character in "…:：⋯។៕၊‽؛":
        table[ord(character)] = Kind.TERMINAL
    for character in _CODE:
        table[ord(character)] = Kind.CODE
    for character in "\t\x0b\x0c\x1f":
        table[ord(character)] = Kind.SPACE
    for character in "\n\r\u2028\u2029\x85":
        table[ord(character)] = Kind.NEWLINE
    table.flags.writeable = False
    return table
