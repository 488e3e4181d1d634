"""Goldfish loss: tokens that are never learnt, so that text cannot be recited.

Hans et al. 2024 (arXiv 2406.10209) leave one token in k out of the loss, chosen by a hash of the tokens before it: the
same passage always loses the same tokens, wherever and however often it comes, so that a model cannot fill the gaps
from another copy. Here only languages that have been read more than so many times are treated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from corpus.hashing import stable_hash

_KEY = np.uint64(stable_hash("goldfish"))
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def forgotten(
    tokens: npt.NDArray[np.int64], segments: npt.NDArray[np.int32], context: int, every: int
) -> npt.NDArray[np.bool_]:
    """Tokens that are left out of the loss.

    A token is left out when a hash of the ``context`` tokens before it is divisible by ``every``; one with fewer tokens
    before it in its document never is.

    Args:
        tokens: ids, [B, L].
        segments: document of each token, [B, L].
        context: h.
        every: k.

    Returns:
        bool [B, L].
    """
    rows, length = tokens.shape
    result = np.zeros((rows, length), dtype=bool)
    if length <= context:
        return result
    hashed = np.full((rows, length - context), _KEY, dtype=np.uint64)
    for offset in range(context):
        hashed = (hashed ^ tokens[:, offset : offset + length - context].astype(np.uint64)) * _FACTOR
        hashed ^= hashed >> np.uint64(29)
    hashed = (hashed ^ (hashed >> np.uint64(32))) * _MIX
    whole = segments[:, :-context] == segments[:, context:]
    result[:, context:] = whole & ((hashed >> np.uint64(11)) % np.uint64(every) == 0)
    return result
