"""What of a budget stays, and which documents go first where it shrinks."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.naturalness.config import NaturalnessConfig
from pipeline.naturalness.measure import Measure, Naturalness

_CHANCE: Final = 0.5
_NAMES: Final = {
    "retranslated_auc": "a classifier tells natural documents from the same ones translated there and back",
    "retranslated_style_auc": "function words and punctuation tell natural documents from the same ones translated",
    "auc": "a classifier tells synthetic from natural text",
    "style_auc": "function words and punctuation tell synthetic from natural text",
    "ngrams": "the divergence of character 3-grams",
    "function_words": "the divergence of frequent words",
    "lost_types": "the loss of different words",
    "sentence_length": "the distance of sentence lengths",
    "document_length": "the distance of document lengths",
}


class Shrink(NamedTuple):
    """What follows from measures for a budget."""

    share: float
    """Of the budget that stays, 0 to 1."""
    why: str
    """The measure that decided, in one line; empty where none exceeds its limit."""


def shrink(naturalness: Naturalness, config: NaturalnessConfig | None = None) -> Shrink:
    """The share of a budget that stays: the least over the measures of

        clip((1 - v) / (1 - limit), floor, 1)

    where v is a measure less what natural halves differ by: for an AUC the lower end of its interval, less what the
    baseline is above chance. It is 1 up to the limit and falls evenly from there to where nothing is in common.
    """
    config = config or NaturalnessConfig()
    least = Shrink(1.0, "")
    for name, limit in config.limits:
        if limit is None or name not in naturalness.measures:
            continue
        measure = naturalness.measures[name]
        value = excess(name, measure)
        share = min(max((1 - value) / (1 - limit), config.floor), 1.0)
        if share < least.share:
            least = Shrink(share, _sentence(name, measure, limit))
    return least


def excess(name: str, measure: Measure) -> float:
    """A measure beyond what the sample's size and the natural text's own variety explain; NaN counts as none."""
    base = measure.baseline - _CHANCE if name.endswith("auc") else measure.baseline
    value = measure.low - max(base, 0.0)
    return 0.0 if np.isnan(value) else value


def _sentence(name: str, measure: Measure, limit: float) -> str:
    sure = f", {measure.low:.2f} at least" if measure.low != measure.value else ""
    kind = "with AUC" if name.endswith("auc") else "is"
    base = "chance" if name.startswith("retranslated") else "two natural halves"
    return f"{_NAMES[name]} {kind} {measure.value:.2f}{sure} ({base} {measure.baseline:.2f}, limit {limit:g})"


def best_first(naturalness: npt.NDArray[Any], scores: npt.NDArray[Any], ids: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The order in which n synthetic documents are taken while the budget lasts: the last ones go first.

    They are ordered by naturalness times gate score, then by the score alone, then by id.

    Args:
        naturalness: by ``Judge``, 0 to 1; NaN where it is not known counts as one half.
        scores: by the gates, 0 to 1; NaN counts as one half.
        ids: n texts.

    Returns:
        [n] positions.
    """
    quality = np.nan_to_num(scores, nan=0.5)
    value = np.nan_to_num(naturalness, nan=0.5) * quality
    return np.lexsort((np.array(ids, np.str_), -quality, -value))
