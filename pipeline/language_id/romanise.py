"""Training text for the detector of romanised languages: text in other scripts, written in Latin letters.

The letters are uroman's (Hermjakob, May and Knight, 2018, *Out-of-the-box Universal Romanization Tool uroman*). People
write less regularly, so each text also comes in two looser spellings: long vowels and double letters written once,
and some letters in the other common way.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from corpus.errors import ConfigurationError
from corpus.hashing import stable_hash
from corpus.tags import script_of
from pipeline.language_id.sources import Unit

SCRIPTS: Final = frozenset(
    {"Arab", "Armn", "Beng", "Cher", "Cyrl", "Deva", "Ethi", "Geor", "Grek", "Gujr", "Guru", "Hang", "Hebr", "Knda"}
    | {"Mlym", "Orya", "Sinh", "Taml", "Telu", "Thaa"}
)
"""Scripts with spaces between words. Chinese, Japanese, Thai and their like are romanised by rules of word division
that no letter table knows."""
_LEAST: Final = 20_000
"""Characters that a language must have: one known from a single text draws all that look like none."""
_DOUBLE: Final = re.compile(r"(\w)\1+")
_OTHER_WAYS: Final = (("w", "v"), ("ph", "f"), ("kh", "h"), ("ee", "i"), ("oo", "u"), ("y", "j"), ("ch", "c"))


def romanised(units: Iterable[Unit], latin: frozenset[str], cap: int) -> Iterator[Unit]:
    """Latin spellings of text in other scripts, under the tag of its language with ``Latn``.

    Args:
        units: labelled text in any script.
        latin: tags of languages that are written in Latin letters anyway; they are left to the main model.
        cap: characters romanised of a language; the tool is slow.

    Raises:
        ConfigurationError: uroman is not installed.
    """
    spell = _speller()
    texts: defaultdict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        tag = f"{unit.tag.partition('_')[0]}_Latn"
        if script_of(unit.tag) in SCRIPTS and tag not in latin:
            texts[tag].append(unit)
    for tag in sorted(texts):
        chosen = texts[tag]
        if sum(len(unit.text) for unit in chosen) < _LEAST:
            continue
        left = cap
        for unit in sorted(chosen, key=lambda unit: stable_hash("romanise", unit.group, unit.text)):
            text = spell(unit.text[:left], unit.tag.partition("_")[0])
            left -= len(unit.text)
            for spelling in spellings(text):
                yield Unit(tag, spelling, unit.source, unit.group)
            if left <= 0:
                break


def spellings(text: str) -> Sequence[str]:
    """A romanised text as the tool writes it, and as people do."""
    plain = text.lower()
    loose = _DOUBLE.sub(r"\1", plain)
    other = plain
    for number, (one, way) in enumerate(_OTHER_WAYS):
        if stable_hash("spelling", number, text) % 2:
            other = other.replace(one, way)
    return plain, loose, _DOUBLE.sub(r"\1", other)


def _speller() -> Callable[[str, str], str]:
    try:
        import uroman
    except ImportError as error:
        raise ConfigurationError(
            "romanised training text is made with uroman, which is not installed", "Install it: `pip install uroman`"
        ) from error
    tool: Any = uroman.Uroman()

    def spell(text: str, language: str) -> str:
        return " ".join(str(tool.romanize_string(line, lcode=language)) for line in text.split("\n"))

    return spell
