"""AdamW with decay groups, and clipping."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from trainer.adapters import LanguageAdapter
from trainer.config import OptimiserConfig


def decayed(model: nn.Module) -> set[str]:
    """Names of the parameters that decay: the core's weight matrices.

    Norm gains and embeddings are not matrices that mix features; language adapters are drawn to their start by
    the deviation penalty, which knows how much text a language has, and not by a decay that does not.
    """
    own = {
        f"{name}.{parameter}"
        for name, module in model.named_modules()
        if isinstance(module, LanguageAdapter | nn.Embedding)
        for parameter, _ in module.named_parameters()
    }
    return {name for name, parameter in _trained(model) if parameter.ndim >= 2 and name not in own}


def make_optimiser(model: nn.Module, config: OptimiserConfig, learning_rate: float) -> torch.optim.AdamW:
    """AdamW over two groups, with and without decay; the loop sets each step's learning rate."""
    names = decayed(model)
    groups = [
        {"params": [p for name, p in _trained(model) if name in names], "weight_decay": config.weight_decay},
        {"params": [p for name, p in _trained(model) if name not in names], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=config.betas, eps=config.epsilon, fused=True)


def set_learning_rate(optimiser: torch.optim.Optimizer, value: float) -> None:
    """Use one learning rate in all groups."""
    for group in optimiser.param_groups:
        group["lr"] = value


def clip(model: nn.Module, largest: float | None) -> Tensor:
    """Scale the gradient down to the largest norm, if one is given; returns the norm that it had."""
    parameters = [p for p in model.parameters() if p.grad is not None]
    return torch.nn.utils.clip_grad_norm_(parameters, float("inf") if largest is None else largest)


def optimiser_tensors(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state as flat tensors, named ``<parameter>:<quantity>``."""
    return {
        f"{name}:{quantity}": value
        for name, parameter in _trained(model)
        for quantity, value in optimiser.state[parameter].items()
    }


def load_optimiser_tensors(model: nn.Module, optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what :func:`optimiser_tensors` gave, on the device of each parameter."""
    by_name = dict(model.named_parameters())
    for key, value in tensors.items():
        name, _, quantity = key.rpartition(":")
        parameter = by_name[name]
        optimiser.state[parameter][quantity] = value.to(parameter.device, copy=True)


def _trained(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The parameters that are not frozen, by name."""
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)
