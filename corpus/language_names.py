"""Names of languages, as CLDR and the registries write them: looked up whole, never by their beginning.

langcodes takes a name it does not know for the longest known one that it begins with ("Malayan" for Malay), which
turns a slip of the pen into another language without a word. Here a name matches as it stands, English names before
those of all other languages; upper and lower case, hyphens, brackets and, where that leaves no doubt, diacritics do
not matter.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections import defaultdict
from functools import lru_cache
from typing import Any, Final

from language_data.names import load_trie, normalize_name
from language_data.util import data_filename

_NAMES: Final = ("en", "und")
"""Lists of names that are searched in turn: English, then of all languages."""
_ENDINGS: Final = (" language", " languages")


def code_of(name: str) -> str | None:
    """The BCP-47 code of a language's name, or None where no language, or more than one, has it.

    Args:
        name: printable text, in any language.
    """
    wanted = str(normalize_name(name))
    for ending in _ENDINGS:
        wanted = wanted.removesuffix(ending)
    if not wanted:
        return None
    for source in _NAMES:
        trie = _trie(source)
        if wanted in trie:
            return str(trie[wanted][0].decode())
    for source in _NAMES:
        codes = _plain(source).get(_folded(wanted), frozenset())
        if codes:
            return next(iter(codes)) if len(codes) == 1 else None
    return None


def similar(name: str, most: int = 3) -> list[str]:
    """English names near to one that is none."""
    near = difflib.get_close_matches(_folded(str(normalize_name(name))), _plain("en"), n=most, cutoff=0.75)
    return [" ".join(word.capitalize() for word in found.split()) for found in near]


@lru_cache(maxsize=2)
def _trie(source: str) -> Any:
    return load_trie(data_filename(f"trie/{source}/name_to_language.marisa"))


@lru_cache(maxsize=2)
def _plain(source: str) -> dict[str, frozenset[str]]:
    """Codes by name without diacritics."""
    codes: dict[str, set[str]] = defaultdict(set)
    trie = _trie(source)
    for name in trie:
        codes[_folded(name)].add(trie[name][0].decode())
    return {name: frozenset(found) for name, found in codes.items()}


def _folded(name: str) -> str:
    """The name without combining marks, the letters that stand for themselves included (å, ø stays)."""
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(character for character in decomposed if not unicodedata.combining(character))
