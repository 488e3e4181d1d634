"""chrF of pairs of sentences (Popović 2015, https://aclanthology.org/W15-3049), as sacreBLEU computes it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from corpus.errors import ConfigurationError
from pipeline.gates.words import Floats

OTHERS: Final = 2
"""References that a margin is taken from; four tell little more."""


def chrf(texts: Sequence[str | None], references: Sequence[str]) -> Floats:
    """[n] chrF2 of each text against its reference, 0 to 100; NaN where there is no text.

    Character n-grams up to 6 without spaces, recall counting twice as much as precision. Equal texts are not counted.

    Raises:
        ConfigurationError: sacreBLEU is not installed.
    """
    metric = _metric()
    found = np.full(len(texts), np.nan)
    for row, (text, reference) in enumerate(zip(texts, references, strict=True)):
        if text is not None:
            same = text == reference and bool(text.strip())
            found[row] = 100.0 if same else metric.sentence_score(text, [reference]).score
    return found


def margin(texts: Sequence[str | None], references: Sequence[str], scores: Floats, others: int = OTHERS) -> Floats:
    """[n] chrF of each text against its own reference, less the mean of those against other references.

    Any two texts of a language share n-grams, the more the longer they are and the nearer in subject; a weak model's
    round trip has little more in common with its source. What it has more than with other sources of about equal length
    tells whether it is about the same (a margin as in Artetxe and Schwenk 2019, https://aclanthology.org/P19-1309, of
    chrF instead of cosines).

    Args:
        texts: n texts or None.
        references: n references.
        scores: [n] chrF of each text against its reference.
        others: how many references to compare with, the nearest in length; equal ones are left out.

    Returns:
        NaN where there is no text, or no other reference.
    """
    order = sorted(range(len(references)), key=lambda row: (len(references[row]), row))
    metric = _metric()
    found = np.full(len(texts), np.nan)
    for place, row in enumerate(order):
        text = texts[row]
        if text is None:
            continue
        near = _nearest(references, order, place, others)
        if near:
            found[row] = scores[row] - np.mean([metric.sentence_score(text, [other]).score for other in near])
    return found


def _nearest(references: Sequence[str], order: Sequence[int], place: int, others: int) -> list[str]:
    """The different references nearest in length to the one at a place in the order of lengths."""
    own = references[order[place]]
    found: list[str] = []
    below, above = place - 1, place + 1
    while len(found) < others and (below >= 0 or above < len(order)):
        shorter = references[order[below]] if below >= 0 else None
        longer = references[order[above]] if above < len(order) else None
        if longer is None or (shorter is not None and len(own) - len(shorter) <= len(longer) - len(own)):
            below -= 1
            other = shorter
        else:
            above += 1
            other = longer
        if other and other != own and other not in found:
            found.append(other)
    return found


@lru_cache(maxsize=1)
def _metric() -> Any:
    try:
        from sacrebleu.metrics.chrf import CHRF
    except ImportError as error:
        raise ConfigurationError(
            "round trips cannot be scored without the package sacrebleu",
            "Install it with `pip install 'evenglot[translate]'`",
        ) from error
    return CHRF()
