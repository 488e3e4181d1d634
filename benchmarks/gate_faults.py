"""Bad translations made of good ones, each kind by a rule, for the benchmark of the gates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from corpus.hashing import stable_hash
from corpus.tags import UNSPACED, script_of


@dataclass(frozen=True)
class Unit:
    """One sentence in several languages."""

    id: str
    document: str
    text: dict[str, str]


@dataclass(frozen=True)
class Pair:
    """Aligned sentences of two languages."""

    source: str
    target: str
    units: list[Unit]
    others: list[Unit] = field(default_factory=list)
    """Of other documents; where sentences about something else come from. A margin compares with the sources of
    ``units``, and must not find the right one there."""

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """[n]"""
        return tuple(unit.text[self.source] for unit in self.units)

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """[n] human translations."""
        return tuple(unit.text[self.target] for unit in self.units)


def wrong_language(pair: Pair, row: int) -> str | None:
    """The translation into a third language."""
    unit = pair.units[row]
    others = sorted(lang for lang in unit.text if lang not in (pair.source, pair.target))
    return unit.text[others[stable_hash(unit.id, "language") % len(others)]] if others else None


def wrong_language_same_script(pair: Pair, row: int) -> str | None:
    """The translation into a third language of the same script."""
    unit = pair.units[row]
    script = script_of(pair.target)
    others = sorted(lang for lang in unit.text if lang not in (pair.source, pair.target) and script_of(lang) == script)
    return unit.text[others[stable_hash(unit.id, "script") % len(others)]] if others else None


def copy(pair: Pair, row: int) -> str | None:
    """The source."""
    return pair.sources[row]


def half_copy(pair: Pair, row: int) -> str | None:
    """The first half of the translation, then the second half of the source."""
    left, right = _pieces(pair.targets[row], pair.target), _pieces(pair.sources[row], pair.source)
    return _joined(left[: (len(left) + 1) // 2], pair.target) + " " + _joined(right[len(right) // 2 :], pair.source)


def first_third(pair: Pair, row: int) -> str | None:
    """The first third of the translation."""
    pieces = _pieces(pair.targets[row], pair.target)
    return _joined(pieces[: max(len(pieces) // 3, 1)], pair.target) if len(pieces) >= 3 else None


def two_thirds(pair: Pair, row: int) -> str | None:
    """The first two thirds of the translation."""
    pieces = _pieces(pair.targets[row], pair.target)
    return _joined(pieces[: 2 * len(pieces) // 3], pair.target) if len(pieces) >= 3 else None


def looped_phrase(pair: Pair, row: int) -> str | None:
    """The first half of the translation, then its last two or three words four times more."""
    pieces = _pieces(pair.targets[row], pair.target)
    half = pieces[: max(len(pieces) // 2, 1)]
    size = 2 + stable_hash(pair.units[row].id, "loop") % 2
    return _joined(half + 4 * half[-size:], pair.target) if len(half) >= size else None


def repeated_sentence(pair: Pair, row: int) -> str | None:
    """The translation twice."""
    return pair.targets[row] + " " + pair.targets[row]


def appended(pair: Pair, row: int) -> str | None:
    """The translation, then another sentence's."""
    other = shuffled(pair, row)
    return None if other is None else pair.targets[row] + " " + other


def shuffled(pair: Pair, row: int) -> str | None:
    """The translation of any sentence of another document."""
    if not pair.others:
        return None
    return pair.others[stable_hash(pair.units[row].id, "shuffle") % len(pair.others)].text[pair.target]


def shuffled_alike(pair: Pair, row: int) -> str | None:
    """The translation of the one whose source is nearest in length, so that lengths tell nothing."""
    size = len(pair.sources[row])
    near = sorted(pair.others, key=lambda unit: abs(len(unit.text[pair.source]) - size))
    return near[0].text[pair.target] if near else None


Fault = Callable[[Pair, int], str | None]
FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        wrong_language,
        wrong_language_same_script,
        copy,
        half_copy,
        first_third,
        two_thirds,
        looped_phrase,
        repeated_sentence,
        appended,
        shuffled,
        shuffled_alike,
    )
}


def _pieces(text: str, lang: str) -> list[str]:
    return list(text) if script_of(lang) in UNSPACED else text.split()


def _joined(pieces: Sequence[str], lang: str) -> str:
    return ("" if script_of(lang) in UNSPACED else " ").join(pieces)
