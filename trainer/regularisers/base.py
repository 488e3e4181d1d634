"""What a regulariser is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from trainer.language_model import Inputs, LanguageModel, Outputs


class Evidence(NamedTuple):
    """What is known of each language, in the order of the model's language indices."""

    train_tokens: Tensor
    """Training tokens that exist of each language, n_l, float32 [languages]; at least 1."""
    share: Tensor
    """Share of each language in the rows of this batch, over all processes, float32 [languages]; sums to 1."""


@dataclass(frozen=True)
class Moment:
    """One forward pass of a step, as a regulariser sees it; N predicted tokens."""

    model: LanguageModel
    """The bare model; its gradients are averaged over the processes."""
    batch: Inputs
    """The rows of the pass, on the model's device."""
    outputs: Outputs
    """What the model made of them; ``inner`` holds the blocks that the registered ``keeps`` ask for."""
    losses: Tensor
    """Nats of each predicted token, with their gradient, float32 [N]."""
    labels: Tensor
    """The predicted tokens, int64 [N]."""
    languages: Tensor
    """Language index of each predicted token, int64 [N]."""
    evidence: Evidence
    """What is known of each language."""
    again: Callable[[], Outputs]
    """The model on the same rows once more, with other draws of its dropout."""
    step: int
    """0 for the first."""
    total: int
    """Steps of the run."""


@dataclass(frozen=True)
class Penalty:
    """A value to be minimised and what is worth knowing about it."""

    value: Tensor
    """Scalar, in nats per token like the loss, before the strength is applied."""
    metrics: Mapping[str, Tensor] = field(default_factory=dict)
    """Scalars for the log."""
    memory: Mapping[str, Tensor] = field(default_factory=dict)
    """What to be given in the next step, without gradients; part of the checkpoint. The same on all processes."""


class Regulariser(Protocol):
    """A pure function from one forward pass to a penalty."""

    def __call__(self, moment: Moment, options: Any, memory: Mapping[str, Tensor]) -> Penalty:
        """Compute the penalty of one pass.

        Args:
            moment: the pass.
            options: the validated options of the regulariser.
            memory: what it returned as ``memory`` in the step before; empty in the first.
        """
        ...
