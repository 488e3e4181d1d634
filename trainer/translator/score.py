"""chrF of translations over a whole set of sentences, with the interval that a bootstrap over sentences gives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

RESAMPLES = 1000
"""Sets of sentences drawn for an interval."""


class Score(NamedTuple):
    """chrF of one set of sentences, 0 to 100."""

    chrf: float
    interval: float
    """Half the width of the interval in which 95 % of the resampled sets lie; 0 where none were drawn."""
    sentences: int


def chrf(outputs: Sequence[str], references: Sequence[str], *, resamples: int = 0) -> Score:
    """Corpus-level chrF2 as sacreBLEU computes it (Popović 2015, character n-grams up to 6, recall twice as heavy).

    Args:
        outputs: translations, [N].
        references: what they should be, [N].
        resamples: sets of N sentences to draw with replacement (Koehn 2004); sacreBLEU's seed is fixed.
    """
    from sacrebleu.metrics.chrf import CHRF

    if not outputs:
        return Score(0.0, 0.0, 0)
    # One sentence has no spread, and the library would divide by zero.
    drawn = resamples if len(outputs) > 1 else 0
    metric = CHRF()
    found = metric.corpus_score(list(outputs), [list(references)], n_bootstrap=max(1, drawn))
    said = json.loads(found.format(width=4, signature=metric.get_signature().format(), is_json=True))
    return Score(float(found.score), float(said.get("confidence_var", 0.0)), len(outputs))
