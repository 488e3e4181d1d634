"""Bands of a signature: two documents become candidates where all rows of a band agree.

With b bands of r rows a pair of Jaccard similarity J meets in some band with the probability

    P(candidate | J) = 1 - (1 - J**r)**b

(Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4): an S-curve, steep about (1/b)**(1/r).
Candidates are verified, so the curve decides which pairs are looked at, not which are called duplicates.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.shingles import UInt32s, UInt64s
from pipeline.vectors import mix

PLACES: Final = 192
"""Most values in a signature that `choose` asks for."""
RECALL: Final = 0.95
"""Share of the pairs just at the threshold that `choose` wants to become candidates."""

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_BAND: Final = np.uint64(0xC2B2AE3D27D4EB4F)


def candidate_probability(jaccard: float, bands: int, rows: int) -> float:
    """Probability that a pair of this similarity is compared."""
    return 1.0 - (1.0 - jaccard**rows) ** bands


@lru_cache
def choose(threshold: float, recall: float = RECALL, places: int = PLACES) -> tuple[int, int]:
    """Bands and rows for a threshold: the most rows, so the fewest needless candidates, that reach the recall.

    Args:
        threshold: least Jaccard similarity of a duplicate.
        recall: wanted probability that a pair of just this similarity becomes a candidate.
        places: most values a signature may have.
    """
    for rows in range(places, 0, -1):
        for bands in range(1, places // rows + 1):
            if candidate_probability(threshold, bands, rows) >= recall:
                return bands, rows
    return places, 1


def curve(bands: int, rows: int, points: int = 20) -> list[tuple[float, float]]:
    """(Jaccard, probability) at equal steps from 0 to 1, for the report."""
    return [
        (round(step / points, 4), round(candidate_probability(step / points, bands, rows), 6))
        for step in range(points + 1)
    ]


def band_keys(signatures: UInt32s, bands: int, rows: int) -> UInt64s:
    """A 64-bit key for each band of each document; keys of different bands have nothing in common.

    Args:
        signatures: shape (n, places) with at least ``bands * rows`` places.
        bands: number of keys.
        rows: values in each.

    Returns:
        shape (n, bands).
    """
    values = signatures[:, : bands * rows].reshape(-1, bands, rows).astype(np.uint64)
    keys: npt.NDArray[np.uint64] = np.broadcast_to(np.arange(1, bands + 1, dtype=np.uint64) * _BAND, values.shape[:2])
    for row in range(rows):
        keys = mix(keys * _STEP + values[:, :, row])
    return keys


def bands_and_rows(config: NearDuplicateConfig) -> tuple[int, int]:
    """The configured bands and rows; what is not set follows from the threshold."""
    if config.bands is not None and config.rows is not None:
        return config.bands, config.rows
    return choose(config.jaccard)
