"""What a language is called, and how a page must mark text written in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import langcodes

from corpus import tags
from corpus.schema import NO_LANGUAGE, UNDETERMINED

_ATTRIBUTE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z")
_BRACKETS: Final = re.compile(r"\s*[(（].*[)）]\s*\Z")


@dataclass(frozen=True)
class LanguageName:
    """The names of one language."""

    tag: str
    """``iso639-3_Script``, ``und`` or ``zxx``."""
    english: str
    autonym: str
    """The language's name in itself; empty where it is not known."""
    bcp47: str
    """For HTML ``lang`` attributes."""


def names(wanted: Iterable[str]) -> dict[str, LanguageName]:
    """Names of the languages, told apart by their script where two would read the same."""
    plain = {tag: describe(tag) for tag in dict.fromkeys(wanted)}
    seen = Counter(name.english for name in plain.values())
    return {tag: name if seen[name.english] == 1 else _with_script(name) for tag, name in plain.items()}


@lru_cache(maxsize=8192)
def describe(tag: str) -> LanguageName:
    """Names of one language; a tag nobody knows is its own name."""
    if tag in (UNDETERMINED, NO_LANGUAGE):
        return LanguageName(tag, tags.english_name(tag), "", tag)
    try:
        attribute, english = tags.bcp47(tag), tags.english_name(tag)
        autonym = _BRACKETS.sub("", str(langcodes.Language.get(attribute).autonym()))
    except (ValueError, LookupError):
        return LanguageName(tag, tag, "", UNDETERMINED)
    if not _ATTRIBUTE.match(attribute):
        attribute = UNDETERMINED
    if english.startswith("Unknown language"):
        english = tag
    different = autonym.casefold() not in (english.casefold(), attribute.casefold(), "unknown language")
    return LanguageName(tag, english, autonym if different else "", attribute)


def _with_script(name: LanguageName) -> LanguageName:
    script = tags.script_of(name.tag)
    if script is None:
        return name
    try:
        readable = str(langcodes.Language.make(script=script).script_name())
    except (ValueError, LookupError):
        readable = script
    return LanguageName(name.tag, f"{name.english} ({readable})", name.autonym, name.bcp47)
