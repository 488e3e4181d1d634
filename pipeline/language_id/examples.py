"""Training examples from labelled text: as many for a small language as for a large one, long spans and short."""

from __future__ import annotations

import random
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from corpus.hashing import stable_hash
from corpus.schema import NO_LANGUAGE
from pipeline.language_id import noise
from pipeline.language_id.sources import Unit
from pipeline.language_id.text import clean

LABEL: Final = "__label__"
_SHORT: Final = (12, 70)
_LONG: Final = (70, 200)


@dataclass(frozen=True)
class Balance:
    """How many characters of a language are trained on in one epoch."""

    cap: int = 250_000
    """Characters taken of a language at most; its sources share them, small sources first."""
    floor: int = 50_000
    """Smaller languages are read again, in other spans, until they have this many."""
    repeats: int = 24
    """The most often a text is read again."""
    short: float = 0.35
    """Share of the spans that are short."""


def build(units: Iterable[Unit], balance: Balance, seed: int = 0) -> list[str]:
    """Lines for fastText, in an order that depends on nothing but the units and the seed.

    Args:
        units: labelled text.
        balance: the amounts.
        seed: of spans and order.
    """
    by_tag: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for unit in units:
        by_tag[unit.tag][unit.source].append(unicodedata.normalize("NFC", unit.text))
    lines = []
    for tag in sorted(by_tag):
        lines += [f"{LABEL}{tag} {span}" for span in _language(tag, by_tag[tag], balance, seed)]
    lines += [
        f"{LABEL}{NO_LANGUAGE} {text}"
        for text in clean(list(noise.examples(_noise_count(balance), seed)))
        if text.strip()
    ]
    return sorted(lines, key=lambda line: stable_hash(line, seed=seed))


def _noise_count(balance: Balance) -> int:
    return balance.cap // 100


def _language(tag: str, sources: Mapping[str, Sequence[str]], balance: Balance, seed: int) -> Iterator[str]:
    texts = {source: [" ".join(text.split()) for text in clean(list(raw))] for source, raw in sources.items()}
    sizes = {source: sum(map(len, found)) for source, found in texts.items()}
    shares = _shares(sizes, balance.cap)
    total = sum(shares.values())
    passes = min(balance.repeats, max(1, round(balance.floor / max(1, total))))
    for source in sorted(texts):
        wanted = shares[source] * max(passes, min(balance.repeats, 1 + balance.floor // (8 * max(1, sizes[source]))))
        yield from _spans(tag, source, texts[source], wanted, balance, seed)


def _shares(sizes: Mapping[str, int], cap: int) -> dict[str, int]:
    """Divide a budget evenly; what a small source leaves goes to the larger ones."""
    shares: dict[str, int] = {}
    left = cap
    for position, source in enumerate(sorted(sizes, key=lambda name: (sizes[name], name))):
        shares[source] = min(sizes[source], left // (len(sizes) - position))
        left -= shares[source]
    return shares


def _spans(tag: str, source: str, texts: Sequence[str], wanted: int, balance: Balance, seed: int) -> Iterator[str]:
    done = passed = 0
    while done < wanted:
        order = sorted(range(len(texts)), key=lambda number: stable_hash(tag, source, passed, number, seed=seed))
        before = done
        for number in order:
            chance = random.Random(stable_hash(tag, source, passed, number, "span", seed=seed))  # noqa: S311
            for span in _cut(texts[number], chance, balance.short, wanted - done):
                done += len(span)
                yield span
            if done >= wanted:
                return
        passed += 1
        if done == before:
            return


def _cut(text: str, chance: random.Random, short: float, limit: int) -> Iterator[str]:
    """Consecutive spans of a text, until it ends or ``limit`` characters are taken."""
    position = taken = 0
    while position < len(text) and taken < limit:
        size = chance.randrange(*(_SHORT if chance.random() < short else _LONG))
        end = text.find(" ", min(len(text), position + size), position + size + 24)
        end = end if end >= 0 else min(len(text), position + size)
        span = text[position:end].strip()
        if len(span) > 3 or (position == 0 and span):
            taken += len(span)
            yield span
        position = end
