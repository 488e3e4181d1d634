"""chrF of pairs of sentences (Popović 2015, https://aclanthology.org/W15-3049), as sacreBLEU computes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corpus.errors import ConfigurationError
from pipeline.gates.words import Floats


def chrf(texts: Sequence[str | None], references: Sequence[str]) -> Floats:
    """[n] chrF2 of each text against its reference, 0 to 100; NaN where there is no text.

    Character n-grams up to 6 without spaces, recall counting twice as much as precision. Equal texts are not counted.

    Raises:
        ConfigurationError: sacreBLEU is not installed.
    """
    try:
        from sacrebleu.metrics.chrf import CHRF
    except ImportError as error:
        raise ConfigurationError(
            "round trips cannot be scored without the package sacrebleu",
            "Install it with `pip install 'evenglot[translate]'`",
        ) from error
    metric = CHRF()
    found = np.full(len(texts), np.nan)
    for row, (text, reference) in enumerate(zip(texts, references, strict=True)):
        if text is not None:
            same = text == reference and bool(text.strip())
            found[row] = 100.0 if same else metric.sentence_score(text, [reference]).score
    return found
