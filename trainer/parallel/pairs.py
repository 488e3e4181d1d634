"""What a regulariser learns of a pass over single sentences that are translations of each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Pairs(NamedTuple):
    """The sentences of a pass among those of the step; S sentences over all processes, 2 i and 2 i + 1 a pair."""

    sentences: Tensor
    """Number of the sentence that each token of the pass is of, -1 for padding, int64 [B, L]; each sentence is whole
    in one process."""
    lengths: Tensor
    """Tokens of each sentence, float32 [S]."""
    languages: Tensor
    """Language index of each sentence, int64 [S]."""
    groups: Tensor
    """Group of each sentence, int64 [S]."""
    alike: Tensor
    """Sentences that say the same, or nearly, and are no negatives of each other; true on the diagonal, bool [S, S]."""
    gather: Callable[[Tensor], Tensor]
    """The sum of a tensor over all processes, through which gradients flow back to each."""


def pooled(vectors: Tensor, pairs: Pairs) -> Tensor:
    """The mean of the vectors of each sentence's tokens, over all processes, float32 [S, D].

    Args:
        vectors: of the pass's tokens, [B, L, D].
        pairs: of the pass.
    """
    return pairs.gather(pooled_sums(vectors, pairs.sentences, len(pairs.lengths))) / pairs.lengths[:, None]


def pooled_sums(vectors: Tensor, sentences: Tensor, count: int) -> Tensor:
    """The sum of the vectors of each sentence's tokens in this process, float32 [S, D]; 0 where it has none."""
    flat, owners = vectors.float().flatten(0, 1), sentences.flatten()
    # Padding is added to a row of its own: no question to the device of how much of it there is.
    sums = torch.zeros(count + 1, flat.shape[1], device=flat.device)
    return sums.index_add(0, torch.where(owners < 0, count, owners), flat)[:count]
