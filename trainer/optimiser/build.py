"""AdamW, or Muon for the core's matrices with AdamW for the rest; decay groups, layer-wise rates and clipping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from trainer.config import OptimiserConfig
from trainer.model.language_model import LanguageModel
from trainer.sharding import cut_like, whole


class Optimiser:
    """The optimisers that together move all trained parameters of a model, each its own part of them.

    Args:
        parts: over parameters that no other part has.
    """

    def __init__(self, *parts: torch.optim.Optimizer) -> None:
        self.parts = parts
        self._owner = {id(p): part for part in parts for group in part.param_groups for p in group["params"]}

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of all parts; each has its ``scale``, the share of the run's learning rate that it moves at, and
        its ``decay``, the weight decay that grows with repeats."""
        return [group for part in self.parts for group in part.param_groups]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for part in self.parts:
            part.zero_grad()

    def step(self) -> None:
        """Move the parameters along their gradients."""
        for part in self.parts:
            part.step()

    def state(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """What is remembered for a parameter, to read and to change; empty before its first step."""
        found: dict[str, Tensor] = self._owner[id(parameter)].state[parameter]
        return found


class _Group(NamedTuple):
    """What parameters that share a group have in common."""

    muon: bool
    scale: float
    decay: float


def make_optimiser(model: LanguageModel, config: OptimiserConfig, learning_rate: float) -> Optimiser:
    """The optimiser over groups of equal decay and, with layer-wise rates, equal depth.

    Args:
        model: whose parameters that are not frozen are moved.
        config: of the optimiser.
        learning_rate: the run's peak.
    """
    members: dict[_Group, list[nn.Parameter]] = {}
    for name, parameter in _trained(model):
        group = _group(config, learning_rate, decays=model.decays(name), matrix=parameter.ndim == 2)
        group = group._replace(scale=group.scale * config.layer_decay ** model.depth(name))
        members.setdefault(group, []).append(parameter)

    def groups(muon: bool) -> list[dict[str, Any]]:
        return [
            {"params": found, "weight_decay": group.decay, "scale": group.scale, "decay": group.decay}
            for group, found in members.items()
            if group.muon is muon
        ]

    parts: list[torch.optim.Optimizer] = []
    if groups(muon=False):
        parts.append(
            torch.optim.AdamW(groups(muon=False), lr=learning_rate, betas=config.betas, eps=config.epsilon, fused=True)
        )
    if groups(muon=True):
        parts.append(
            torch.optim.Muon(
                groups(muon=True),
                lr=learning_rate,
                momentum=config.muon.momentum,
                ns_steps=config.muon.iterations,
                adjust_lr_fn="match_rms_adamw" if config.muon.scaling == "adamw" else "original",
            )
        )
    return Optimiser(*parts)


def _group(config: OptimiserConfig, learning_rate: float, *, decays: bool, matrix: bool) -> _Group:
    """The group of a parameter at the top of the model."""
    decay = config.weight_decay if decays else 0.0
    if config.kind == "muon" and decays and matrix:
        own = config.muon
        scale = 1.0 if own.learning_rate is None else own.learning_rate / learning_rate
        return _Group(True, scale, decay if own.weight_decay is None else own.weight_decay)
    return _Group(False, 1.0, decay)


def set_learning_rate(optimiser: Optimiser, value: float) -> None:
    """Use a learning rate, in each group times its scale."""
    for group in optimiser.param_groups:
        group["lr"] = value * group["scale"]


def grow_decay(optimiser: Optimiser, factor: float) -> None:
    """Use the weight decay of each group times a factor."""
    for group in optimiser.param_groups:
        group["weight_decay"] = group["decay"] * factor


def clip(model: nn.Module, largest: float | None) -> Tensor:
    """Scale the gradient down to the largest norm, if one is given; returns the norm that it had."""
    parameters = [p for p in model.parameters() if p.grad is not None]
    return whole(torch.nn.utils.clip_grad_norm_(parameters, float("inf") if largest is None else largest))


def optimiser_tensors(model: nn.Module, optimiser: Optimiser) -> dict[str, Tensor]:
    """The optimiser's state as flat tensors, named ``<parameter>:<quantity>``; cut where the model is."""
    return {
        f"{name}:{quantity}": value
        for name, parameter in _trained(model)
        for quantity, value in optimiser.state(parameter).items()
    }


def load_optimiser_tensors(model: nn.Module, optimiser: Optimiser, tensors: Mapping[str, Tensor]) -> None:
    """Put back what :func:`optimiser_tensors` gave, on the device of each parameter."""
    by_name = dict(model.named_parameters())
    for key, value in tensors.items():
        name, _, quantity = key.rpartition(":")
        parameter = by_name[name]
        alike = value.shape == parameter.shape
        optimiser.state(parameter)[quantity] = (
            cut_like(value, parameter) if alike else value.to(parameter.device, copy=True)
        )


def _trained(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The parameters that are not frozen, by name."""
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)
