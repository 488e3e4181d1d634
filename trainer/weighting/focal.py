"""Focal weights by language: the farther a language is from being learnt, the more it counts.

The focal loss (Lin et al. 2017, arXiv 1708.02002) weighs each example by a power of what is left to learn of it. By
language, over the smoothed loss above the baseline: q_l proportional to p_l * (loss_l / mean loss)^power.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from trainer.weighting import FocalOptions
from trainer.weighting.base import LanguageLosses, Weighting


def weigh(losses: LanguageLosses, options: FocalOptions, memory: Mapping[str, Tensor]) -> Weighting:
    """The target; a language at or below its baseline counts as one that has a thousandth of the mean to learn."""
    positive = losses.excess.clamp(min=0)
    mean = (losses.share * positive).sum().clamp(min=1e-6)
    ratio = (positive / mean).clamp(min=1e-3) ** options.power
    return Weighting(losses.share * ratio.where(losses.seen, 1.0))
