"""What is known of the languages at each step; what costs something to know, only where a penalty needs it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import torch
from torch import Tensor

from trainer.registry import Need
from trainer.regularisers.base import Evidence
from trainer.steps.plan import ReadPasses

_DECAY: Final = 0.98
"""Part of the sums of losses and tokens that is kept at each step, as in the language-aware losses."""


class Known:
    """Gives regularisers the evidence on each language.

    Args:
        train_tokens: training tokens that exist of each language, float32 [K].
        tags: the languages.
        needs: what the run's penalties need.
        passes: gives, for a step, the passes over each language's text before it, [K]; None for 0.
        occurrences: of each piece of the vocabulary in the training text, [V]; None where it is not needed.
        baseline: nats per token to be taken off each language's loss, [K]; None for 0.
    """

    def __init__(
        self,
        train_tokens: Tensor,
        tags: Sequence[str],
        needs: Collection[Need],
        *,
        passes: ReadPasses | None,
        occurrences: Tensor | None,
        baseline: Sequence[float] | None,
    ) -> None:
        self._train_tokens = train_tokens
        self._tags = tuple(tags)
        self._passes = passes if "passes" in needs else None
        self._zero_passes = torch.zeros_like(train_tokens) if "passes" in needs else None
        self._occurrences = occurrences
        self._baseline = torch.tensor(baseline or [0.0] * len(tags), device=train_tokens.device)
        self._sums: Tensor | None = None
        if "recent" in needs:
            self._sums = torch.zeros(len(tags), 2, dtype=torch.float64, device=train_tokens.device)

    @property
    def watches(self) -> bool:
        """Whether it wants to be told of the languages' losses."""
        return self._sums is not None

    def evidence(self, number: int, share: Tensor) -> Evidence:
        """The evidence at a step.

        Args:
            number: 0 for the first.
            share: of each language in the step's predicted tokens, float32 [K].
        """
        passes = self._zero_passes
        if self._passes is not None:
            passes = torch.from_numpy(self._passes(number)).to(share.device, torch.float32)
        recent = recent_share = None
        if self._sums is not None:
            loss, tokens = self._sums.unbind(1)
            recent = (loss / tokens).float() - self._baseline
            recent_share = (tokens / tokens.sum().clamp(min=1e-30)).float()
        return Evidence(self._train_tokens, share, self._tags, passes, self._occurrences, recent, recent_share)

    def update(self, sums: Tensor) -> None:
        """Take in what a step has seen.

        Args:
            sums: summed loss in nats and predicted tokens of each language, over all processes, float64 [K, 2].
        """
        if self._sums is not None:
            self._sums = self._sums * _DECAY + sums

    def state(self) -> dict[str, Tensor]:
        """Tensors for the checkpoint."""
        return {} if self._sums is None else {"sums": self._sums}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        if self._sums is not None:
            self._sums = tensors["sums"]
