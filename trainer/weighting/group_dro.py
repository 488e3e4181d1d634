"""Group distributionally robust optimisation with languages as groups.

Sagawa et al. 2020 (arXiv 1911.08731) descend on the model and ascend on a distribution q over groups in turns:

    q_l <- q_l * exp(rate * (loss_l + C / sqrt(n_l)))

Here q is kept as its logarithm above the languages' shares, so that a change of the mixture in mid-run changes
the shares and not what was learnt about the languages. It starts at the shares.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from trainer.weighting import GroupDROOptions
from trainer.weighting.base import LanguageLosses, Weighting

_FARTHEST = 5.0
"""Largest absolute log ratio that is remembered: what lies beyond would take long to come back from."""


def weigh(losses: LanguageLosses, options: GroupDROOptions, memory: Mapping[str, Tensor]) -> Weighting:
    """One step of the ascent."""
    adjusted = losses.excess + options.adjustment * losses.train_tokens.rsqrt()
    mean = (losses.share * adjusted).sum()
    before = memory.get("log_ratio", torch.zeros_like(losses.share))
    ratio = before + options.rate * torch.where(losses.seen, adjusted - mean, 0.0)
    ratio = ratio.clamp(-_FARTHEST, _FARTHEST)
    return Weighting(losses.share * ratio.exp(), {"log_ratio": ratio})
