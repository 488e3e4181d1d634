"""A development set cut by source: how well a language learnt from some kinds of text is found in another kind.

A score on held-out sentences of a source that was trained on says little of text of other origin: the same
translators, topics and spelling stand on both sides. Here whole sources are held out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from corpus.hashing import stable_hash
from pipeline.language_id.sources import Unit

COVERED: Final = 40_000
"""Characters from elsewhere with which a language can be learnt without a source."""
_NOT_COVERING: Final = frozenset({"ntrex", "udhr", "bible_pd"})
"""Bibles are of other centuries; the declaration is held out itself."""
_NEWS_PART: Final = 4
_PER_LANGUAGE: Final = 150
_PER_DOCUMENT: Final = 6
_LEAST: Final = 20
_SENTENCE: Final = re.compile(r"(?<=[.!?。।؟！？])\s*|\n+")


@dataclass(frozen=True)
class Cut:
    """What is trained on, and what is scored."""

    name: str
    training: list[Unit]
    held: dict[str, list[Unit]]
    """Single sentences by what they are called in the report."""


def cuts(units: Sequence[Unit]) -> list[Cut]:
    """The development sets; test parts are in none of them."""
    return [without_declaration(units), without_further_sources(units)]


def without_declaration(units: Sequence[Unit]) -> Cut:
    """Nothing of the declaration is trained on, and of the news a quarter of the articles in no language.

    Scored are the declaration's sentences; the news in languages that other sources cover, none of which is trained
    on ("news, unseen kind"); and the held-out articles in the languages that learn from news ("news, seen kind"),
    as a measure of what the usual development score would say.
    """
    amounts = _amounts(units)
    covered = {
        tag
        for tag, sources in amounts.items()
        if "ntrex" in sources and sum(size for name, size in sources.items() if name not in _NOT_COVERING) >= COVERED
    }
    training: list[Unit] = []
    held: defaultdict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        if unit.source == "udhr":
            if set(amounts[unit.tag]) != {"udhr"}:
                held["declaration"].append(unit)
        elif unit.source == "ntrex" and stable_hash("language-id-transfer", unit.group) % _NEWS_PART == 0:
            held["news, unseen kind" if unit.tag in covered else "news, seen kind"].append(unit)
        elif unit.source != "ntrex" or unit.tag not in covered:
            training.append(unit)
    return Cut("without declaration", training, dict(held))


def without_further_sources(units: Sequence[Unit]) -> Cut:
    """All labels are trained; a language known from news (or NusaX) learns from that and the declaration alone.

    Scored are its sentences in the health, story, Bible and social-media sets and in corpus documents.
    """
    amounts = _amounts(units)
    training: list[Unit] = []
    held: defaultdict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        sources = amounts[unit.tag]
        first = "ntrex" if "ntrex" in sources else "nusax"
        if unit.source in ("udhr", first) or first not in sources:
            training.append(unit)
        else:
            texts = _sentences(unit.text)[:_PER_DOCUMENT] if unit.source == "corpus" else [unit.text]
            held[unit.source] += [
                Unit(unit.tag, text, unit.source, unit.group) for text in texts if len(text) >= _LEAST
            ]
    return Cut("without further sources", training, {source: _sample(found) for source, found in held.items()})


def _amounts(units: Sequence[Unit]) -> dict[str, dict[str, int]]:
    """Characters by tag and source."""
    found: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for unit in units:
        found[unit.tag][unit.source] += len(unit.text)
    return {tag: dict(sources) for tag, sources in found.items()}


def _sentences(text: str) -> list[str]:
    return [piece.strip() for piece in _SENTENCE.split(text) if piece and len(piece.strip()) >= _LEAST]


def _sample(units: Sequence[Unit]) -> list[Unit]:
    """At most so many sentences of a language, the same ones every time."""
    by_tag: defaultdict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        by_tag[unit.tag].append(unit)
    return [
        unit
        for tag in sorted(by_tag)
        for unit in sorted(by_tag[tag], key=lambda unit: stable_hash(unit.text))[:_PER_LANGUAGE]
    ]
