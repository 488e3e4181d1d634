"""Sampled shingles, so that a part meets its whole.

A short copy of a long text has a low Jaccard similarity to it, and bands are likely to miss the pair. FracMinHash
(Irber et al. 2022, https://doi.org/10.1101/2022.01.11.475838; "scaled MinHash") keeps the hashes below a bound:
which shingles are kept depends on the shingle alone, so whatever of the sample lies in the part lies in the
whole's sample too. What is sampled here are two adjoining shingles as one (ten words): phrases that unrelated
texts share are mostly shorter.
"""

from __future__ import annotations

import numpy as np

from pipeline.deduplicate.shingles import Int64s, Shingles, UInt64s
from pipeline.vectors import mix

_STEP = np.uint64(0xA0761D6478BD642F)


def sample(shingles: Shingles, distance: int, one_in: int) -> tuple[UInt64s, Int64s]:
    """The sampled keys of d documents; a text with m pairs of shingles has about ``m / one_in``, and a part of it
    with k of the pairs none with the probability ``(1 - 1 / one_in)**k``.

    Args:
        shingles: of the documents.
        distance: how far apart two shingles are that adjoin: their length.
        one_in: 0 samples nothing.

    Returns:
        keys, end to end, and bounds of shape (d + 1,).
    """
    if not one_in or len(shingles.hashes) <= distance:
        return np.empty(0, np.uint64), np.zeros(shingles.documents + 1, np.int64)
    pairs = mix(shingles.hashes[:-distance] * _STEP + shingles.hashes[distance:])
    chosen = np.flatnonzero(pairs < np.uint64(2**64 // one_in - (one_in == 1)))
    owners = np.searchsorted(shingles.bounds, chosen, side="right") - 1
    within = chosen + distance < shingles.bounds[owners + 1]
    counts = np.bincount(owners[within], minlength=shingles.documents)
    return pairs[chosen[within]], np.concatenate([[0], np.cumsum(counts)])
