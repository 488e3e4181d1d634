"""Word lists of the demo's two languages, as the text files beside this module hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

HERE: Final = Path(__file__).parent
NONE: Final = "-"


class Pair(NamedTuple):
    """The same words in both languages."""

    english: str
    afrikaans: str


@dataclass(frozen=True)
class Noun:
    """A noun with all its forms; an empty one is not used."""

    one: Pair
    many: Pair | None
    """None of a mass: bread, water."""
    diminutive: str
    classes: frozenset[str]


@dataclass(frozen=True)
class Adjective:
    """An adjective with its forms before a noun, after a verb, and compared."""

    english: str
    english_more: str
    before: str
    after: str
    more: str
    classes: frozenset[str]


@dataclass(frozen=True)
class Verb:
    """A verb with the forms that either language needs."""

    frame: str
    base: str
    third: str
    past: str
    stem: str
    """Afrikaans infinitive and present, without the particle that parts from it."""
    particle: str
    participle: str
    preposition: str
    """Afrikaans, of the object."""
    subjects: frozenset[str]
    objects: frozenset[str]


@dataclass(frozen=True)
class Phrase:
    """A place, a time, an adverb or a remark on the weather."""

    words: Pair
    tenses: frozenset[str]
    """Times of the sentence it goes with: ``past``, ``now``, ``future``."""


def rows(name: str, columns: int) -> Iterator[list[str]]:
    """The rows of a word list.

    Raises:
        ValueError: a line has another number of columns; names file and line.
    """
    for number, line in enumerate((HERE / name).read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != columns:
            raise ValueError(f"{name}, line {number}: {len(cells)} columns, not {columns}")
        yield ["" if cell == NONE else cell for cell in cells]


@cache
def nouns() -> tuple[Noun, ...]:
    """All nouns."""
    return tuple(
        Noun(Pair(one, een), Pair(many, meer) if many else None, small, frozenset(classes.split()))
        for one, many, een, meer, small, classes in rows("nouns.txt", 6)
    )


@cache
def adjectives() -> tuple[Adjective, ...]:
    """All adjectives."""
    return tuple(
        Adjective(english, more_english, before, after, more, frozenset(classes.split()))
        for english, more_english, before, after, more, classes in rows("adjectives.txt", 6)
    )


@cache
def verbs() -> tuple[Verb, ...]:
    """All verbs."""
    found = []
    for frame, base, third, past, stem, particle, participle, preposition, subjects, objects in rows("verbs.txt", 10):
        said = preposition.partition("/")[2]
        classes = frozenset(subjects.split()), frozenset(objects.split())
        found.append(Verb(frame, base, third, past, stem, particle, participle, said, *classes))
    return tuple(found)


@cache
def phrases(kind: str) -> tuple[Phrase, ...]:
    """All phrases of a kind: ``place``, ``spot``, ``goal``, ``time``, ``adverb``, ``weather``."""
    return tuple(
        Phrase(Pair(english, afrikaans), frozenset(tenses.split()))
        for one, english, afrikaans, tenses in rows("phrases.txt", 4)
        if one == kind
    )


@cache
def free() -> tuple[Pair, ...]:
    """The pairs written by hand."""
    return tuple(Pair(english, afrikaans) for english, afrikaans in rows("free.txt", 2))
