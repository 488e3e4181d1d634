"""What a regulariser is given and what it gives back."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from torch import Tensor

from trainer.model import Inputs, Outputs, Transformer


class Evidence(NamedTuple):
    """What is known of each language, in the order of the model's language indices."""

    train_tokens: Tensor
    """Training tokens that exist of each language, n_l, float32 [languages]; at least 1."""
    share: Tensor
    """Share of each language in the rows of this batch, over all processes, float32 [languages]; sums to 1."""


class Penalty(NamedTuple):
    """A value to be minimised and what is worth knowing about it."""

    value: Tensor
    """Scalar, in nats per token like the loss, before the strength is applied."""
    metrics: dict[str, Tensor]
    """Scalars for the log."""


class Regulariser(Protocol):
    """A pure function from the state of one step to a penalty."""

    def __call__(
        self, model: Transformer, batch: Inputs, outputs: Outputs, evidence: Evidence, options: Any
    ) -> Penalty:
        """Compute the penalty of one batch."""
        ...
