"""How much two short texts are about the same: a cosine of hashed counts of their longer words, cheap and rough."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.curriculum.features import read_features

BUCKETS: Final = 256
SHORTEST: Final = 4
"""Characters of a word that counts, where a script writes words: shorter ones are mostly of grammar."""

Sketch = npt.NDArray[np.float32]


def sketches(texts: list[str]) -> Sketch:
    """Of n texts, [n, BUCKETS]; rows of length 1, or 0 where a text has no longer word."""
    found = np.zeros((len(texts), BUCKETS), np.float32)
    for part in read_features(pa.array(texts, pa.large_string())):
        words = part.words
        long = words.stops - words.starts >= SHORTEST
        long |= (np.bincount(words.owners[long], minlength=part.text.documents) == 0)[words.owners]
        places = (words.hashes[long] % np.uint64(BUCKETS)).astype(np.int64)
        np.add.at(found, (part.first + words.owners[long], places), np.float32(1))
    lengths = np.sqrt((found * found).sum(axis=1, keepdims=True))
    found /= np.maximum(lengths, 1)
    return found
