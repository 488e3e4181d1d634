"""One number for how much a document looks like prose: it breaks ties, it rejects nothing."""

from __future__ import annotations

import numpy as np

from pipeline.quality.features import FEATURES
from pipeline.quality.text import Floats


def score(features: Floats) -> Floats:
    """Quality from 0 to 1.

    The product of six factors, each 1 for undisturbed prose: the share of letters against the 0.9 usual in
    prose; what does not repeat in n-grams and in lines; what lies neither in addresses nor in overlong tokens;
    lines that are no fragments (half weight); and n / (n + 20) for n words, since little text proves little.

    Args:
        features: shape (n, len(FEATURES)).

    Returns:
        shape (n,).
    """
    column = {name: features[:, number] for number, name in enumerate(FEATURES)}
    quality = np.minimum(column["alphabetic_ratio"] / 0.9, 1)
    quality = quality * (1 - column["duplicate_ngram_share"])
    quality *= 1 - column["duplicate_line_share"]
    quality *= np.maximum(1 - column["url_share"] - column["long_token_share"], 0)
    quality *= 1 - 0.5 * column["short_line_share"]
    quality *= column["n_words"] / (column["n_words"] + 20)
    result: Floats = np.clip(quality, 0, 1).astype(np.float32)
    return result
