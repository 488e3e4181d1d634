"""Translation word by word: a bilingual lexicon, its file, and a text through it.

The trainer learns lexicons; a translation model that reads its source through one carries it in its folder.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from corpus.errors import InputError
from corpus.storage import Storage
from corpus.translations import direction_name

LEXICON: Final = "lexicon.json"
"""File in a model's folder: direction -> folded source word -> target word."""


class Word(NamedTuple):
    """A word between blanks, and the punctuation at its ends."""

    before: str
    core: str
    after: str


def words(text: str) -> list[Word]:
    """The words of a text; where a word is nothing but punctuation, its core is empty."""
    found = []
    for part in text.split():
        sides = [n for n, letter in enumerate(part) if not _is_mark(letter)]
        if not sides:
            found.append(Word(part, "", ""))
            continue
        found.append(Word(part[: sides[0]], part[sides[0] : sides[-1] + 1], part[sides[-1] + 1 :]))
    return found


class Lexicon:
    """The likeliest translation of each word.

    Args:
        table: folded source word -> target word.
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self.table = table

    def translate(self, text: str) -> str:
        """A text word by word, in its order and with its punctuation; unknown words as they are."""
        made = []
        for word in words(text):
            found = self.table.get(word.core.casefold())
            if found is None:
                found = word.core
            elif word.core[:1].isupper():
                found = found[:1].upper() + found[1:]
            made.append(word.before + found + word.after)
        return " ".join(made)


Lexicons = Mapping[tuple[str, str], Lexicon]
"""By (source, target)."""


def write_lexicons(folder: Path, known: Lexicons) -> None:
    """Write ``lexicon.json`` into a folder, in one atomic step."""
    tables = {direction_name(pair): dict(sorted(known[pair].table.items())) for pair in sorted(known)}
    text = json.dumps(tables, ensure_ascii=False, indent=0)
    Storage(folder).write_bytes(LEXICON, (text + "\n").encode())


def read_lexicons(folder: Path) -> dict[str, Lexicon]:
    """Lexicons of a folder by the name of their direction; none where there is no such file.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / LEXICON
    if not path.is_file():
        return {}
    try:
        tables = json.loads(path.read_text(encoding="utf-8"))
        return {name: Lexicon({str(word): str(made) for word, made in table.items()}) for name, table in tables.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{path} holds no lexicons: {error}", "Fetch or convert the model again") from error


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "PSZC"
