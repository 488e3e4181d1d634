"""How strong a penalty is: over the run by its schedule, and for each language by what is known of it."""

from __future__ import annotations

from torch import Tensor

from trainer.config import EvidenceStrengthConfig, RegulariserConfig
from trainer.optimiser.schedules import strength_share
from trainer.regularisers.base import Evidence


def strength_at(entry: RegulariserConfig, step: int, total: int) -> float:
    """Strength of a regulariser in a step, the same for all languages."""
    return entry.strength * strength_share(entry.schedule, step, total)


def strengths(config: EvidenceStrengthConfig, evidence: Evidence) -> Tensor:
    """Factor of each language in a penalty that is a sum over languages.

    strength_l = clamp((reference / n_l)^power) for n_l training tokens, so that little text is held more firmly, or
    strength_l = clamp((passes_l / reference)^power), so that what is read again and again is.

    Args:
        config: which of the two, and its numbers.
        evidence: with ``passes`` for the second.

    Returns:
        float32 [languages].
    """
    if config.by == "repeats":
        assert evidence.passes is not None
        ratio = evidence.passes / (config.reference or 1.0)
    else:
        tokens = evidence.train_tokens
        ratio = (tokens.median() if config.reference is None else config.reference) / tokens
    return (ratio**config.power).clamp(config.smallest, config.largest)
