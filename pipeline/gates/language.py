"""Language and script of short texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from pipeline.gates.words import Floats, column
from pipeline.language_id.config import DEFAULT_MODEL
from pipeline.language_id.model import load_model
from pipeline.script.counts import script_counts
from pipeline.script.tags import script_rule
from pipeline.script.unicode import SCRIPT_IDS

_CANDIDATES: Final = 10
"""Labels read for a sentence; the model is less sure of a short text, so the right one may stand low."""
FULL: Final = 15
"""Letters from which on a sentence speaks for itself; a shorter one is judged together with its document."""


def language_probability(
    texts: Sequence[str],
    target: str,
    source: str | None = None,
    documents: Sequence[int] | None = None,
    model: str | tuple[str, ...] = DEFAULT_MODEL,
) -> Floats:
    """[n] probability that a sentence is in the target language or one that is easily taken for it.

    A sentence of fewer than ``FULL`` letters says little by itself: its own probability p counts by w = letters / FULL
    and the mean of its document (weighted by letters) by 1 - w. Close relatives of the target count as the target (the
    whole document is told from them later, with more to read), unless one of them is the source language.

    Args:
        texts: n sentences.
        target: tag asked for.
        source: tag of the language translated from.
        documents: [n] the document of each sentence; None where all are of one.
        model: as in ``IdentifyConfig.model``.

    Returns:
        NaN where the model does not know the language, or a text has no letters.
    """
    reader = load_model(model).reader
    related = getattr(reader, "relatives_of", lambda tag: (tag,) if tag in reader.tags else ())(target)
    known = np.array([tag in related and (tag != source or tag == target) for tag in reader.tags], np.bool_)
    if not known.any() or not len(texts):
        return np.full(len(texts), np.nan)
    votes = reader.read(texts, _CANDIDATES, abstain=False)
    mine = known[votes.tag]
    own = np.bincount(votes.piece[mine], weights=votes.probability[mine], minlength=len(texts))
    own = np.minimum(own, 1.0)
    letters = votes.letters.astype(np.float64)
    _, owners = np.unique(np.zeros(len(texts)) if documents is None else np.asarray(documents), return_inverse=True)
    pooled = np.bincount(owners, weights=own * letters) / np.maximum(np.bincount(owners, weights=letters), 1.0)
    weight = np.minimum(letters / FULL, 1.0)
    return np.where(letters > 0, weight * own + (1 - weight) * pooled[owners], np.nan)


def script_share(texts: Sequence[str], target: str) -> Floats:
    """[n] share of the letters that are in the scripts of the target; NaN where it names none, or without letters."""
    rule = script_rule(target)
    if rule is None or not len(texts):
        return np.full(len(texts), np.nan)
    counts = script_counts(column(texts))
    letters = counts[:, 1:].sum(axis=1)
    inside = counts[:, [SCRIPT_IDS[script] for script in sorted(rule.accepted)]].sum(axis=1)
    return np.where(letters > 0, inside / np.maximum(letters, 1), np.nan)
