"""What all sections share: names, the order of languages, groups by size."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from evenglot.report.blocks import Cell, Group
from evenglot.report.config import ReportConfig
from evenglot.report.facts import Facts
from evenglot.report.names import LanguageName, describe, names
from evenglot.report.numbers import plural, size

GROUPED_FROM: Final = 25
"""Tables with fewer languages have no subheadings."""


@dataclass(frozen=True)
class Context:
    """The facts and how to name and order what is in them."""

    facts: Facts
    config: ReportConfig

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Training bytes by language, the largest first."""
        return self.facts.corpus.sizes

    @cached_property
    def languages(self) -> dict[str, LanguageName]:
        """Names of every language of the corpus and of the runs, those without text last."""
        ledger = self.facts.corpus.snapshot.ledger.language_totals()
        trained = (lang for run in self.facts.runs for lang in (*run.final, *run.losses, *run.evidence))
        return names([*self.sizes, *ledger, *trained])

    def name(self, lang: str) -> LanguageName:
        """What a language is called."""
        return self.languages.get(lang) or describe(lang)

    def command(self, options: str) -> str:
        """The ``evenglot inspect`` command on this corpus with some options."""
        return f"evenglot inspect {quoted(self.facts.corpus.url)} {options}"

    def ordered(self, langs: Iterable[str]) -> list[str]:
        """Languages by training bytes, the largest first, those without text last."""
        return sorted(langs, key=lambda lang: (-self.sizes.get(lang, 0), lang))

    def groups(self, langs: Sequence[str], row: Callable[[str], Sequence[Cell]]) -> list[Group]:
        """Rows for the languages, under subheadings by size where there are many."""
        ordered = self.ordered(langs)
        if len(ordered) < GROUPED_FROM:
            return [Group("", [row(lang) for lang in ordered])]
        found: dict[str, list[str]] = {}
        for lang in ordered:
            found.setdefault(size_class(self.sizes.get(lang, 0)), []).append(lang)
        return [
            Group(f"{name} · {plural(len(members), 'language')}", [row(lang) for lang in members])
            for name, members in found.items()
        ]


def size_class(number: int) -> str:
    """The power of ten that a language's training bytes fall into."""
    if number <= 0:
        return "no training text"
    low = 10 ** math.floor(math.log10(number))
    return f"{size(low)} to {size(low * 10)}"


def median(values: Iterable[float]) -> float:
    """The middle value; 0 of none."""
    found = sorted(values)
    if not found:
        return 0.0
    half = len(found) // 2
    return found[half] if len(found) % 2 else (found[half - 1] + found[half]) / 2


def listed(items: Sequence[str]) -> str:
    """``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def largest(counts: Mapping[str, int]) -> str:
    """The key with the largest value."""
    return max(sorted(counts), key=lambda key: counts[key])


def words(name: str) -> str:
    """A stage or reason as words: ``exact_duplicate`` is ``exact duplicate``."""
    return name.replace("_", " ")


def quoted(path: str) -> str:
    """A path as one word of a shell command."""
    return shlex.quote(path)
