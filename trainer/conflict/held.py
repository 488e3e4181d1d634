"""The gradients of groups held apart until they are operated on and added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from corpus.errors import ConfigurationError
from trainer.config.conflict import SurgeryConfig
from trainer.conflict import surgery
from trainer.conflict.groups import make_groups
from trainer.distributed import World
from trainer.model.language_model import LanguageModel


class Surgery:
    """Holds a gradient of the shared core for each group, in steps whose turn it is.

    Takes as much memory as the core's weights for each group. What languages have of their own (adapters, gains) gets
    its plain gradient.

    Args:
        config: what to do and when.
        model: the bare model.
        languages: tags, in the order of the language indices.
        train_tokens: training tokens that exist of each language.
        world: the processes.

    Raises:
        ConfigurationError: languages cannot be grouped as asked, or the weights are cut among the processes.
    """

    def __init__(
        self,
        config: SurgeryConfig,
        model: LanguageModel,
        languages: Sequence[str],
        train_tokens: Sequence[int],
        world: World,
    ) -> None:
        if world.sharded:
            raise ConfigurationError(
                "train.surgery holds whole gradients, and train.parallelism is fsdp", "Set it to ddp, or remove surgery"
            )
        self.groups = make_groups(config.groups, languages, train_tokens)
        self._config = config
        self._world = world
        self._of_language = torch.tensor(self.groups.of_language, device=world.device)
        own = {id(value) for adapter in model.adapters() for value in adapter.parameters()}
        named = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
        core = [(name, value) for name, value in named if id(value) not in own and not name.endswith(".own")]
        self._core = [value for _, value in core]
        shared = {id(value) for value in self._core}
        self._rest = [value for _, value in named if id(value) not in shared]
        keys = [self._unit(name) for name, _ in core]
        self._units = [[place for place, key in enumerate(keys) if key == unit] for unit in dict.fromkeys(keys)]
        count = len(self.groups.names)
        self._held: list[Tensor] = []
        self._targets = np.zeros((len(self._units), count, count))
        self._next = self._targets

    def due(self, number: int) -> bool:
        """Whether a step, 0 for the first, is operated on."""
        return (number + 1) % self._config.every == 0

    def begin(self) -> None:
        """Start a step."""
        self._held = [torch.zeros(len(self.groups.names), value.numel(), device=value.device) for value in self._core]

    def add(self, counted: Tensor, languages: Tensor) -> None:
        """Add the gradients of a pass, a backward pass for each group in it; the graph stays.

        Args:
            counted: what is minimised at each predicted token, [N].
            languages: language index of each, [N].
        """
        of_token = self._of_language[languages]
        inputs = [*self._core, *self._rest]
        for group in torch.unique(of_token).tolist():
            loss = counted[of_token == group].sum()
            found = torch.autograd.grad(loss, inputs, retain_graph=True, allow_unused=True)
            for held, gradient in zip(self._held, found, strict=False):
                if gradient is not None:
                    held[group] += gradient.flatten()
            for value, gradient in zip(self._rest, found[len(self._core) :], strict=True):
                if gradient is not None:
                    value.grad = gradient if value.grad is None else value.grad + gradient

    def finish(self, number: int) -> None:
        """Average over the processes, operate, and add the result to the gradients that the parameters have."""
        if self._world.size > 1:
            for value in (*self._core, *self._rest):
                value.grad = torch.zeros_like(value) if value.grad is None else value.grad
                value.grad = self._world.sum(value.grad) / self._world.size
            self._held = [self._world.sum(held) / self._world.size for held in self._held]
        orders = surgery.order(number, len(self.groups.names))
        self._next = self._targets.copy()
        for unit, places in enumerate(self._units):
            products = torch.stack([(self._held[place] @ self._held[place].T).double() for place in places])
            gram = products.sum(dim=0).cpu().numpy()
            if not np.isfinite(gram).all():
                weights = np.full(len(gram), np.nan)
            elif self._config.kind == "pcgrad":
                weights = surgery.pcgrad(gram, orders)
            else:
                weights, self._next[unit] = surgery.gradvac(gram, orders, self._targets[unit], self._config.rate)
            for place in places:
                self._move(self._core[place], self._held[place], torch.from_numpy(weights))
        self._held = []

    def commit(self) -> None:
        """Keep the cosines aimed at, after a step with a finite gradient."""
        self._targets = self._next

    def state(self) -> dict[str, Tensor]:
        """Tensors for the checkpoint."""
        return {"targets": torch.from_numpy(self._targets.copy())}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        self._targets = self._next = tensors["targets"].cpu().numpy().copy()

    def _unit(self, name: str) -> str:
        """What a parameter is looked at together with."""
        if self._config.parameters == "whole":
            return ""
        if self._config.parameters == "by_tensor":
            return name
        parts = name.split(".")
        return next((".".join(parts[: place + 1]) for place, part in enumerate(parts) if part.isdigit()), "outside")

    @staticmethod
    def _move(value: nn.Parameter, held: Tensor, weights: Tensor) -> None:
        found = (weights.to(held) @ held).view_as(value)
        value.grad = found if value.grad is None else value.grad + found
