"""What a regulariser is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from trainer.model.language_model import Inputs, LanguageModel, Outputs
from trainer.parallel.pairs import Pairs


class Evidence(NamedTuple):
    """What is known of each language, in the order of the model's language indices."""

    train_tokens: Tensor
    """Training tokens that exist of each language, n_l, float32 [languages]; at least 1."""
    share: Tensor
    """Share of each language in the rows of this batch, over all processes, float32 [languages]; sums to 1."""
    tags: tuple[str, ...] = ()
    """The languages."""
    passes: Tensor | None = None
    """Passes over each language's text before this step, float32 [languages]; None where no method needs them."""
    occurrences: Tensor | None = None
    """How often each piece of the vocabulary occurs in the training text, estimated from a sample, float32 [V]; None
    where no method needs it."""
    recent: Tensor | None = None
    """Mean loss of each language above its baseline in the last steps, nats per token, float32 [languages], not a
    number for a language that was not met; None where no method needs it."""
    recent_share: Tensor | None = None
    """Share of each language in the predicted tokens of those steps, float32 [languages]."""


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
    again_on: Callable[[Tensor], tuple[Outputs, Tensor]] | None = None
    """As ``again`` for some of the rows, given by their places, int64 [b]: what the model made of them, and the places
    of their predicted tokens among the N of this pass, int64 [n]. Asks the device how many there are."""
    token_scale: float | None = None
    """What a sum over the pass's predicted tokens is multiplied by for its mean over the passes and processes to be the
    mean over all predicted tokens of the step; None for 1 / N."""
    strengths: Tensor | None = None
    """Factor of each language in a penalty that is a sum over languages, float32 [languages]; None for 1."""
    last: bool = True
    """Whether this is the last pass of the step: what is to be remembered once a step is computed in it."""
    pairs: Pairs | None = None
    """In a pass over sentences one by one, which are translations of each other; None in all other passes."""

    @property
    def weights(self) -> Tensor:
        """Weight of each language in a sum over languages: its share of the batch times its strength, [languages]."""
        return self.evidence.share if self.strengths is None else self.evidence.share * self.strengths

    @property
    def token_strengths(self) -> Tensor | None:
        """Strength of each predicted token's language, [N]; None for 1."""
        return None if self.strengths is None else self.strengths[self.languages]

    def mean_over_tokens(self, values: Tensor) -> Tensor:
        """Mean over the step's predicted tokens of what is 0 for all but some of this pass's, [n] with n up to N."""
        return values.sum() * (1 / max(1, len(self.labels)) if self.token_scale is None else self.token_scale)

    def nothing(self) -> Tensor:
        """A zero on the model's device."""
        return torch.zeros((), device=self.evidence.share.device)


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
