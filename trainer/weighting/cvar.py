"""Conditional value at risk over languages: the mean loss of the worst share of the tokens.

Oren et al. 2019 (arXiv 1909.02060) train language models on the topics with the largest loss above a baseline, as
a distribution over topics in which none has more than 1 / level of its share.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from trainer.weighting import CVaROptions
from trainer.weighting.base import LanguageLosses, Weighting


def weigh(losses: LanguageLosses, options: CVaROptions, memory: Mapping[str, Tensor]) -> Weighting:
    """Languages from the largest loss down until they make up ``level`` of the tokens; the last one in part."""
    order = losses.excess.where(losses.seen, -float("inf")).argsort(descending=True, stable=True)
    share = losses.share[order]
    before = share.cumsum(0) - share
    taken = torch.minimum(share, (options.level - before).clamp(min=0))
    target = torch.zeros_like(share)
    target[order] = taken / options.level
    return Weighting(target)
