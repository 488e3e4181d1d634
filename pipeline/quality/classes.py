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
    IDEOGRAPH = 4
    """Letter of a script that writes no spaces and about one morpheme a letter: each counts as a word."""
    UNSPACED = 5
    """Letter of an alphabet that writes no spaces: runs are cut into pieces of about a word's length."""
    MARK = 6
    """Combining mark, part of the word it stands in."""
    NUMBER = 7
    TERMINAL = 8
    """Ends a sentence, in any script."""
    PUNCTUATION = 9
    CODE = 10
    """Common in markup and programs, rare in prose."""
    SYMBOL = 11


KINDS = len(Kind)

IDEOGRAPHIC_SCRIPTS = ("Hani", "Hira", "Kana", "Bopo", "Yiii", "Tang", "Nshu", "Kits", "Egyp", "Xsux")
"""Scripts without spaces in which a letter is a morpheme or a syllable."""

UNSPACED_SCRIPTS = (
    "Thai",
    "Laoo",
    "Khmr",
    "Mymr",
    "Java",
    "Bali",
    "Tale",
    "Talu",
    "Lana",
    "Tavt",
    "Cham",
    "Ahom",
    "Khar",
)
"""Alphabets without spaces between words. Tibetan is none: its syllables end with a mark."""

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
    for scripts, kind in ((IDEOGRAPHIC_SCRIPTS, Kind.IDEOGRAPH), (UNSPACED_SCRIPTS, Kind.UNSPACED)):
        for script in scripts:
            for start, stop in property_ranges(f"Script={script}"):
                part = table[start:stop]
                part[part == Kind.LETTER] = kind
    # What Unicode leaves out of Sentence_Terminal but ends a line like one, and the marks that do between Tibetan
    # syllables and Ethiopic words what a space does elsewhere.
    for character in "…:：⋯។៕၊‽؛།༎":
        table[ord(character)] = Kind.TERMINAL
    for character in _CODE:
        table[ord(character)] = Kind.CODE
    for character in "\t\x0b\x0c\x1f་༌፡":
        table[ord(character)] = Kind.SPACE
    for character in "\n\r\u2028\u2029\x85":
        table[ord(character)] = Kind.NEWLINE
    table.flags.writeable = False
    return table
