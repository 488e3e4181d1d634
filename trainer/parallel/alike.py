"""Sentences that must not be told apart: translations of the same, and near duplicates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def alike_pairs(groups: IntArray, tokens: Sequence[IntArray], languages: IntArray, threshold: float) -> BoolArray:
    """Which pairs say the same, or nearly: those of one group, and those of which two sentences of one language have
    a Jaccard similarity of their sets of tokens of at least the threshold.

    Args:
        groups: of each of P pairs, [P].
        tokens: of their 2 P sentences; 2 i and 2 i + 1 are a pair.
        languages: of the sentences, [2 P].
        threshold: above 1 takes the groups alone.

    Returns:
        [P, P], symmetric, true on the diagonal.
    """
    same: BoolArray = groups[:, None] == groups[None, :]
    if threshold > 1:
        return same
    sets = [np.unique(one) for one in tokens]
    sizes = np.array([len(one) for one in sets])
    _, columns = np.unique(np.concatenate(sets), return_inverse=True)
    held = np.zeros((len(sets), int(columns.max(initial=-1)) + 1), np.float32)
    held[np.repeat(np.arange(len(sets)), sizes), columns] = 1
    shared = held @ held.T
    union = sizes[:, None] + sizes[None, :] - shared
    near = (languages[:, None] == languages[None, :]) & (shared >= threshold * union)
    pairs = len(groups)
    return np.asarray(same | near.reshape(pairs, 2, pairs, 2).any(axis=(1, 3)), dtype=bool)
