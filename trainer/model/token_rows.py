"""Predictions over the part of the vocabulary that a language was trained with.

A vocabulary that has grown by pieces of new languages must not take probability from the old ones: an old language's
softmax runs over its old rows alone, and what it gives is what it gave before.

Letters: N predicted tokens, D width, V token rows.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

OUT: Final = -1e9
"""Score of a row that is out of reach: its probability is exactly 0, and unlike infinity it can be subtracted."""


def scores(vectors: Tensor, weight: Tensor, rows: Tensor) -> Tensor:
    """Scores of tokens by their place in each prediction's part of the vocabulary.

    Asks the device once whether all predictions have the same part; then the others' rows are not computed at all, so
    the result is that of the smaller vocabulary to the last bit.

    Args:
        vectors: [N, D].
        weight: [V, D].
        rows: how many of the first token rows each prediction runs over, int64 [N].

    Returns:
        [N, V], or as many columns as all predictions have in common.
    """
    if not len(rows):
        return functional.linear(vectors, weight)
    least, most = (int(value) for value in torch.stack((rows.min(), rows.max())).tolist())
    found = functional.linear(vectors, weight[:most])
    if least == most:
        return found
    outside = torch.arange(most, device=rows.device)[None] >= rows[:, None]
    return found.masked_fill(outside, OUT)
