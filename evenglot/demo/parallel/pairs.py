"""The demo's parallel text: sentences from the grammar and by hand, parted into what is learnt and what is held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from corpus.hashing import stable_hash
from evenglot.demo.parallel.lexicon import Pair, free
from evenglot.demo.parallel.patterns import generate

SCALE: Final = 150
"""Attempts for each unit of a pattern's share: more than 20,000 sentences."""
COMPANY: Final = 8
"""Times that a pair written by hand is learnt with another one behind it: there are few, and texts are like them."""
_HELDOUT: Final = 40
"""One in so many sentences of the grammar is held out."""
_HELDOUT_FREE: Final = 4
"""One in so many of those written by hand."""


@dataclass(frozen=True)
class ParallelText:
    """What a model learns and what it is measured on; no English or Afrikaans sentence is on both sides."""

    train: tuple[Pair, ...]
    heldout: tuple[Pair, ...]
    """From the grammar."""
    heldout_free: tuple[Pair, ...]
    """Written by hand."""


def parallel_text(scale: int = SCALE) -> ParallelText:
    """All pairs, parted by hash of the Afrikaans side: always the same."""
    template = [pair for _, pair in generate(scale)]
    heldout = tuple(pair for pair in template if _out(pair, _HELDOUT))
    heldout_free = tuple(pair for pair in free() if _out(pair, _HELDOUT_FREE))
    away = {side for pair in (*heldout, *heldout_free) for side in pair}
    by_hand = [pair for pair in free() if not away.intersection(pair)]
    learnt = [pair for pair in (*template, *by_hand) if not away.intersection(pair)]
    learnt += _in_company(by_hand)
    order = sorted(range(len(learnt)), key=lambda place: (stable_hash("order", learnt[place].english), place))
    return ParallelText(tuple(learnt[place] for place in order), heldout, heldout_free)


def _in_company(pairs: list[Pair]) -> list[Pair]:
    """Each pair with another one behind it, some times: two sentences are translated one after the other."""
    found = {}
    for pair in pairs:
        for number in range(COMPANY):
            other = pairs[stable_hash("company", pair.english, number) % len(pairs)]
            both = Pair(f"{pair.english} {other.english}", f"{pair.afrikaans} {other.afrikaans}")
            found[both.english] = both
    return list(found.values())


def _out(pair: Pair, one_in: int) -> bool:
    return stable_hash("held out", pair.afrikaans) % one_in == 0
