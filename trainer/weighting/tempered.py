"""Against over-reliance on the major languages: their part in the loss is tempered, not their part in the text.

q_l proportional to p_l^power, the exponent of temperature sampling (Conneau et al. 2020, arXiv 1911.02116) applied to
the loss: the model reads as many tokens of a major language as before and learns less from each.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from trainer.weighting import TemperedOptions
from trainer.weighting.base import LanguageLosses, Weighting


def weigh(losses: LanguageLosses, options: TemperedOptions, memory: Mapping[str, Tensor]) -> Weighting:
    """The target."""
    return Weighting((losses.share.clamp(min=1e-12) ** options.power).where(losses.seen, 0.0))
