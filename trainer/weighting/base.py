"""What a language-aware loss is given and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from torch import Tensor


class LanguageLosses(NamedTuple):
    """The languages as training has met them lately; K of them, in the order of the model's language indices."""

    excess: Tensor
    """Smoothed mean loss above the language's baseline, in nats per token, float32 [K]; 0 where nothing was seen."""
    share: Tensor
    """Smoothed share of the predicted tokens, float32 [K], of sum 1."""
    seen: Tensor
    """Languages that were met at all, bool [K]."""
    train_tokens: Tensor
    """Training tokens that exist, float32 [K]; at least 1."""


@dataclass(frozen=True)
class Weighting:
    """The languages' part in the loss."""

    target: Tensor
    """Share of each language in the loss, float32 [K], not negative; it need not sum to 1."""
    memory: Mapping[str, Tensor] = field(default_factory=dict)
    """What to be given in the next step; part of the checkpoint."""


class Weigh(Protocol):
    """A pure function from the languages' losses to their part in the loss."""

    def __call__(self, losses: LanguageLosses, options: Any, memory: Mapping[str, Tensor]) -> Weighting:
        """Compute the target.

        Args:
            losses: of the languages.
            options: the validated options.
            memory: what it returned as ``memory`` in the step before; empty in the first.
        """
        ...
