"""AdamW with decay groups, and clipping."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from trainer.config import OptimiserConfig
from trainer.language_model import LanguageModel


def make_optimiser(model: LanguageModel, config: OptimiserConfig, learning_rate: float) -> torch.optim.AdamW:
    """AdamW over groups of equal decay and, with layer-wise rates, equal depth.

    Each group's ``scale`` is its learning rate as a share of the run's, its ``decays`` whether it has weight decay; the
    loop sets both at each step.
    """
    members: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in _trained(model):
        scale = config.layer_decay ** model.depth(name)
        members.setdefault((scale, model.decays(name)), []).append(parameter)
    groups = [
        {"params": found, "weight_decay": config.weight_decay if decays else 0.0, "scale": scale, "decays": decays}
        for (scale, decays), found in members.items()
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=config.betas, eps=config.epsilon, fused=True)


def set_learning_rate(optimiser: torch.optim.Optimizer, value: float) -> None:
    """Use a learning rate, in each group times its scale."""
    for group in optimiser.param_groups:
        group["lr"] = value * group["scale"]


def set_decay(optimiser: torch.optim.Optimizer, value: float) -> None:
    """Use a weight decay in the groups that have any."""
    for group in optimiser.param_groups:
        if group["decays"]:
            group["weight_decay"] = value


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
