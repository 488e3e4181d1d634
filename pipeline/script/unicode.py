"""Lookup tables over all code points, built once a process from the properties that ``regex`` knows.

They follow the Unicode version of the installed ``regex``, not that of the interpreter, so that all workers
with one environment agree. Building all scripts takes about 0.1 s.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt
import regex

SIZE = 0x110000
"""Number of code points."""

COMMON = "Zyyy"
"""ISO 15924 for characters that no script owns: digits, punctuation, symbols; also used for text without letters."""

_CODES = """
    Adlm Aghb Ahom Arab Armi Armn Avst Bali Bamu Bass Batk Beng Berf Bhks Bopo Brah Brai Bugi Buhd Cakm Cans Cari
    Cham Cher Chrs Copt Cpmn Cprt Cyrl Deva Diak Dogr Dsrt Dupl Egyp Elba Elym Ethi Gara Geor Glag Gong Gonm Goth
    Gran Grek Gujr Gukh Guru Hang Hani Hano Hatr Hebr Hira Hluw Hmng Hmnp Hung Ital Java Kali Kana Kawi Khar Khmr
    Khoj Kits Knda Krai Kthi Lana Laoo Latn Lepc Limb Lina Linb Lisu Lyci Lydi Mahj Maka Mand Mani Marc Medf Mend
    Merc Mero Mlym Modi Mong Mroo Mtei Mult Mymr Nagm Nand Narb Nbat Newa Nkoo Nshu Ogam Olck Onao Orkh Orya Osge
    Osma Ougr Palm Pauc Perm Phag Phli Phlp Phnx Plrd Prti Rjng Rohg Runr Samr Sarb Saur Sgnw Shaw Shrd Sidd Sidt
    Sind Sinh Sogd Sogo Sora Soyo Sund Sunu Sylo Syrc Tagb Takr Tale Talu Taml Tang Tavt Tayo Telu Tfng Tglg Thaa
    Thai Tibt Tirh Tnsa Todr Tols Toto Tutg Ugar Vaii Vith Wara Wcho Xpeo Xsux Yezi Yiii Zanb
"""
SCRIPTS = tuple(_CODES.split())
"""ISO 15924 codes of the scripts Unicode encodes; one that the installed ``regex`` does not know has no characters."""

SCRIPT_IDS: dict[str, int] = {COMMON: 0} | {script: number for number, script in enumerate(SCRIPTS, start=1)}


@cache
def script_table() -> npt.NDArray[np.uint8]:
    """The script of every code point as its number in ``SCRIPT_IDS``; shape (0x110000,).

    Common, Inherited and unassigned ones are 0: combining marks shared by scripts speak for none.
    """
    table = np.zeros(SIZE, np.uint8)
    for script in SCRIPTS:
        for start, stop in property_ranges(f"Script={script}"):
            table[start:stop] = SCRIPT_IDS[script]
    table.flags.writeable = False
    return table


def property_ranges(name: str) -> Iterator[tuple[int, int]]:
    r"""Half-open ranges of the code points with a Unicode property, as ``\p{...}`` names it."""
    try:
        pattern = regex.compile(rf"\p{{{name}}}+")
    except regex.error:
        return  # a property newer than the installed tables has no characters there
    text = _every_character()
    for match in pattern.finditer(text):
        yield from _as_code_points(match.start(), match.end())


# Code points that can have a property of interest: planes 0 to 3 up to the last ideograph, surrogates left out.
_SURROGATES = range(0xD800, 0xE000)
_LAST = 0x33480


@cache
def _every_character() -> str:
    return "".join(map(chr, range(_SURROGATES.start))) + "".join(map(chr, range(_SURROGATES.stop, _LAST)))


def _as_code_points(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Positions in the text of all characters, as code points; a range is cut where the surrogates would be."""
    gap = _SURROGATES.start
    if start < gap:
        yield start, min(stop, gap)
    if stop > gap:
        yield max(start, gap) + len(_SURROGATES), stop + len(_SURROGATES)
