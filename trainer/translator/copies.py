"""Rows of words that are to be written as they are: what a translator learns to copy from.

Names, numbers and loan words are copied, and with them all that a model of little text does not know better. Copied
text beside the pairs teaches it (Currey, Miceli Barone and Heafield 2017, https://aclanthology.org/W17-4715/); rows
drawn from the words of the pairs, rare ones nearly as often as frequent ones, leave nothing to go by but the source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from corpus.hashing import stable_hash
from corpus.translations import SentencePair
from trainer.translator.glosses import MOST

_LONGEST: Final = 15
"""Words of a row; all numbers up to it are as frequent."""
_FLATTENING: Final = 0.3
"""Power of a word's frequency that it is drawn with."""


def copies(pairs: Sequence[SentencePair], *, both: bool, seed: int = 0, most: int = MOST) -> list[SentencePair]:
    """Rows of words as both source and translation, different ones, so many of each direction.

    Args:
        pairs: with the words to take, between blanks.
        both: whether words of sources are taken too; otherwise those of translations.
        seed: of the draws.
        most: rows of a direction.
    """
    found: list[SentencePair] = []
    for direction in sorted({pair.direction for pair in pairs}):
        own = [pair for pair in pairs if pair.direction == direction]
        sides = [pair.translation for pair in own] + ([pair.text for pair in own] if both else [])
        counts = Counter(word for text in sides for word in text.split())
        known = sorted(counts)
        if not known:
            continue
        chances = np.array([counts[word] for word in known], np.float64) ** _FLATTENING
        draw = np.random.Generator(np.random.Philox(key=stable_hash("copies", *direction, seed=seed)))
        lengths = draw.integers(1, _LONGEST, size=most, endpoint=True)
        chosen = draw.choice(len(known), size=int(lengths.sum()), p=chances / chances.sum())
        rows = (" ".join(known[n] for n in row) for row in np.split(chosen, np.cumsum(lengths)[:-1]))
        found += [SentencePair(*direction, text, text) for text in dict.fromkeys(rows)]
    return found
