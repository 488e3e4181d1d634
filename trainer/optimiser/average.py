"""A running mean of the weights (Polyak & Juditsky 1992), which evaluations may use instead of the last ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from trainer.sharding import cut_like, local


class WeightAverage:
    """mean <- decay_t * mean + (1 - decay_t) * weights, with decay_t = min(decay, (1 + t) / (10 + t)).

    The shorter memory of the first steps keeps the initial weights from staying in the mean for long.

    Args:
        model: whose trained values are averaged; the mean is kept on its device.
        decay: of the later steps, below 1.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self._model = model
        self._mean = {name: value.detach().clone() for name, value in self._trained()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights as they are now."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        names, values = zip(*self._trained(), strict=True)
        torch._foreach_lerp_([local(self._mean[name]) for name in names], [local(value) for value in values], 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """While the block runs, the model has the mean for its weights."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def state(self) -> dict[str, Tensor]:
        """Tensors for the checkpoint."""
        return {**self._mean, "steps": torch.tensor(self.steps)}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        self.steps = int(tensors["steps"])
        for name, value in self._mean.items():
            value.copy_(cut_like(tensors[name], value))

    @torch.no_grad()
    def _exchange(self) -> None:
        for name, value in self._trained():
            mean, weights = local(self._mean[name]), local(value)
            kept = mean.clone()
            mean.copy_(weights)
            weights.copy_(kept)

    def _trained(self) -> Iterator[tuple[str, nn.Parameter]]:
        return ((name, value) for name, value in self._model.named_parameters() if value.requires_grad)
