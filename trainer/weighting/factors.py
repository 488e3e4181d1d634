"""From losses to the factor of each language's tokens, step by step.

After each step the summed loss and the tokens of each language, over all processes, go into running sums that
decay by ``smoothing``; their quotient is the language's smoothed loss, and a language that comes rarely keeps its
own. The method turns losses into a target distribution; a language's factor is its target over its share, bounded
by ``floor`` and ``cap``, and scaled so that the factors have mean 1 over the tokens: the size of the loss and of the
gradient stays what it was.

Factors used in a step follow from the steps before it, so they cost no second pass, and every process uses the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from trainer import weighting
from trainer.config import LanguageLossConfig
from trainer.optimiser.schedules import strength_share
from trainer.weighting.base import LanguageLosses

_SCALES = 30.0
_HALVINGS = 40
"""Bisection over the logarithm of the scale, within plus or minus ``_SCALES``."""


class LanguageFactors:
    """The factors of one run.

    Args:
        config: the method and its bounds.
        train_tokens: training tokens that exist of each language, float32 [K].
        baseline: nats per token that are taken off each language's loss, float32 [K].
        total: steps of the run.
    """

    def __init__(self, config: LanguageLossConfig, train_tokens: Tensor, baseline: Tensor, total: int) -> None:
        self.config = config
        self.total = total
        self._train_tokens = train_tokens
        self._baseline = baseline
        self._weigh = weighting.load(config.name)
        self._options = weighting.check(config.name, config.options)
        self._sums = torch.zeros(len(train_tokens), 2, dtype=torch.float64, device=train_tokens.device)
        self._method = torch.ones_like(train_tokens)
        self._memory: dict[str, Tensor] = {}

    def at(self, step: int) -> Tensor:
        """The factor of each language in a step, float32 [K]."""
        return 1 + self.strength(step) * (self._method - 1)

    def strength(self, step: int) -> float:
        """How far the factors are from 1 to the method's, from 0 to 1."""
        return self.config.strength * strength_share(self.config.schedule, step, self.total)

    def update(self, sums: Tensor) -> None:
        """Take in what a step has seen.

        Args:
            sums: summed loss in nats and predicted tokens of each language, over all processes, float64 [K, 2].
        """
        self._sums = self._sums * self.config.smoothing + sums
        loss, tokens = self._sums.unbind(1)
        seen = tokens > 0
        excess = (loss / tokens.clamp(min=1e-30)).float() - self._baseline
        share = (tokens / tokens.sum().clamp(min=1e-30)).float()
        losses = LanguageLosses(excess.where(seen, 0.0), share, seen, self._train_tokens)
        found = self._weigh(losses, self._options, self._memory)
        self._memory = dict(found.memory)
        ratio = (found.target / share.clamp(min=1e-30)).where(seen, 1.0)
        self._method = bounded(ratio, share, self.config.floor, self.config.cap)

    def state(self) -> dict[str, Tensor]:
        """Tensors for the checkpoint."""
        memory = {f"memory:{name}": value for name, value in self._memory.items()}
        return {"sums": self._sums, "factors": self._method, **memory}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        device = self._train_tokens.device
        self._sums = tensors["sums"].to(device)
        self._method = tensors["factors"].to(device)
        self._memory = {
            name.removeprefix("memory:"): value.to(device)
            for name, value in tensors.items()
            if name.startswith("memory:")
        }


def bounded(ratio: Tensor, share: Tensor, floor: float, cap: float) -> Tensor:
    """Factors within bounds whose mean over the tokens is 1: the ratios, scaled as it takes and then bounded.

    Args:
        ratio: not negative, [K].
        share: of the tokens, [K], of sum 1.
        floor: smallest factor, at most 1.
        cap: largest factor, at least 1.

    Returns:
        float32 [K].
    """
    # A language of ratio 0 takes up what the others cannot for their cap.
    ratio = ratio.clamp(min=1e-9)
    low, high = ratio.new_full((), -_SCALES), ratio.new_full((), _SCALES)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        too_large = (share * (ratio * middle.exp()).clamp(floor, cap)).sum() > 1
        low, high = low.where(too_large, middle), high.where(~too_large, middle)
    factors = (ratio * low.exp()).clamp(floor, cap)
    return factors / (share * factors).sum()
