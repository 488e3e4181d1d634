"""How natural each synthetic document looks: by classifiers that have seen neither it nor anything of its parent.

The classifiers go by style (``features.Words.style``), not by topics: documents are made on topics that a language
lacks, and those must not be the first to go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.naturalness.classifier import FOLDS, Floats, fit, folds, scaled
from pipeline.naturalness.config import NaturalnessConfig
from pipeline.naturalness.features import UInt64s, Words
from pipeline.naturalness.measure import FEWEST
from pipeline.naturalness.passages import passages, pieces_of

MOST: Final = 20
"""Passages of a document that are looked at."""
_BLOCK: Final = 256
"""Documents judged at once."""


@dataclass(frozen=True, eq=False)
class Judge:
    """A classifier for each fold of the groups, learnt on the others."""

    lang: str
    frequent: UInt64s
    """Hashes of the language's frequent words, ascending."""
    weights: npt.NDArray[np.float32]
    """[FOLDS, columns]"""
    bias: Floats
    """[FOLDS]"""
    natural: tuple[Floats, ...]
    """Scores of the natural passages of each fold, ascending."""
    config: NaturalnessConfig
    seed: int

    def naturalness(self, texts: Sequence[str], parents: Sequence[str]) -> Floats:
        """The share of natural passages that look less natural than the passages of each document do on average.

        Args:
            texts: n documents.
            parents: n ids.

        Returns:
            [n] 0 to 1; NaN for a document without text, or where the fold had no natural passage.
        """
        found = np.full(len(texts), np.nan)
        fold = folds(parents, self.seed)
        for start in range(0, len(texts), _BLOCK):
            pieces = [
                pieces_of(text, self.lang, self.config.passage_characters, MOST)
                for text in texts[start : start + _BLOCK]
            ]
            sizes = np.array([len(some) for some in pieces], np.int64)
            if not sizes.sum():
                continue
            owners = start + np.repeat(np.arange(len(pieces)), sizes)
            rows = scaled(Words([piece for some in pieces for piece in some]).style(self.frequent))
            scores = (rows @ self.weights.T + self.bias)[np.arange(len(owners)), fold[owners]]
            sums = np.bincount(owners - start, scores, len(pieces))
            for place in np.flatnonzero(sizes).tolist():
                natural = self.natural[fold[start + place]]
                if len(natural):
                    before = np.searchsorted(natural, sums[place] / sizes[place], side="left")
                    found[start + place] = 1 - before / len(natural)
        return found


def learn(
    natural: Sequence[str],
    synthetic: Sequence[str],
    lang: str,
    config: NaturalnessConfig | None = None,
    *,
    natural_ids: Sequence[str],
    parents: Sequence[str],
    seed: int = 0,
) -> Judge | None:
    """Learn to tell natural from synthetic style.

    Args:
        natural, synthetic: samples of documents.
        lang: tag of the language.
        config: sizes; defaults if None.
        natural_ids, parents: ids of the natural documents, and of those the synthetic ones were made from.
        seed: of what is chosen by hash.

    Returns:
        None where there is too little text.
    """
    config = config or NaturalnessConfig()
    size, most = config.passage_characters, config.passages
    a = passages(natural, natural_ids, lang, size, most, seed)
    s = passages(synthetic, parents, lang, size, most, seed)
    if min(len(a.texts), len(s.texts)) < FEWEST:
        return None
    words = Words((*a.texts, *s.texts))
    frequent = Words(a.texts).widespread(config.frequent)
    rows = scaled(words.style(frequent))
    fold = folds((*a.groups, *s.groups), seed)
    is_synthetic = np.arange(len(fold)) >= len(a.texts)
    weights = np.zeros((FOLDS, rows.shape[1]), np.float32)
    bias = np.zeros(FOLDS)
    scores = []
    for number in range(FOLDS):
        others = fold != number
        if len(np.unique(is_synthetic[others])) == 2:
            found, bias[number] = fit(rows[others], is_synthetic[others])
            weights[number] = found
        else:
            scores.append(np.empty(0))  # one side lies in this fold alone
            continue
        own = ~others & ~is_synthetic
        scores.append(np.sort(rows[own] @ weights[number] + bias[number]))
    return Judge(lang, frequent, weights, bias, tuple(scores), config, seed)
