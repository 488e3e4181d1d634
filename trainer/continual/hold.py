"""What of a grown model moves: parameters that are frozen, rows of parameters that are, and slower rates.

A frozen parameter asks for no gradient. Where a tensor holds rows of old and new languages, the gradient of the old
rows is set to zero before anything sees it: clipping measures what moves alone, and an optimiser without decay on these
tensors leaves the rows where they are, to the bit. Rows that move at a lower rate are put back by the rest of the step,
because the step of AdamW does not depend on the size of the gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from corpus.errors import ConfigurationError, InputError
from corpus.hashing import file_hash
from trainer.config.continual import ContinualConfig
from trainer.model.adapters import LanguageAdapter
from trainer.model.language_model import LanguageModel
from trainer.optimiser.build import Optimiser
from trainer.optimiser.own_rows import language_rows

_EMBEDDING = "embedding.weight"


class Rows(NamedTuple):
    """Rows of a parameter that move otherwise than the rest of it."""

    old: Tensor
    """bool [rows]."""
    rate: float
    """Of the rows of ``old``, as a share of the run's; 0 holds them."""


class Held(NamedTuple):
    """What moves less than the run's learning rate says."""

    rates: dict[str, float]
    """Of whole parameters, by name; those that are not here move at the full rate. Frozen ones are not here either."""
    rows: dict[str, Rows]
    """Of parameters that have old and new rows, by name."""


def begin(model: LanguageModel, config: ContinualConfig, languages: Sequence[str], folder: Path) -> Held:
    """Load a run's first weights and freeze what does not move; to be called before the optimiser is made.

    Args:
        model: of the run's sizes, on its device.
        config: what may move.
        languages: the model's, in its order.
        folder: of the run.

    Raises:
        InputError: the file of the weights is missing or has changed.
        ConfigurationError: an old language is not among the model's, a block does not exist, or nothing would move.
    """
    path = folder / config.weights
    try:
        if file_hash(path) != config.hash:
            raise InputError(f"{path} has changed since the run began", "Run `evenglot add-language --fresh`")
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path} cannot be read: {error}", "Run `evenglot add-language --fresh`") from error
    model.load_state_dict(tensors)
    _set_origins(model, languages, config.old)
    held = _held(model, config, languages)
    for name, parameter in model.named_parameters():
        if held.rates.get(name) == 0:
            parameter.requires_grad_(False)
        elif name in held.rows and held.rows[name].rate == 0:
            _hold(parameter, held.rows[name].old)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ConfigurationError(
            "nothing would move: the model has neither language adapters nor gains, and no token rows are new",
            "Use `--mode open`, or add new pieces to the vocabulary",
        )
    return Held({name: rate for name, rate in held.rates.items() if rate}, held.rows)


def slow(model: LanguageModel, optimiser: Optimiser, held: Held) -> None:
    """Give an optimiser the rates of what moves slower than the rest.

    Args:
        model: whose parameters the optimiser moves.
        optimiser: of the run.
        held: as :func:`begin` gave it.
    """
    parameters = dict(model.named_parameters())
    rates = {id(parameter): held.rates.get(name, 1.0) for name, parameter in parameters.items()}
    partly = {id(parameters[name]): rows for name, rows in held.rows.items() if 0 < rows.rate < 1}
    for part in optimiser.parts:
        own = [parameter for group in part.param_groups for parameter in group["params"]]
        _slow_rows(part, [(parameter, partly[id(parameter)]) for parameter in own if id(parameter) in partly])
        for group in list(part.param_groups):
            by_rate: dict[float, list[nn.Parameter]] = {}
            for parameter in group["params"]:
                by_rate.setdefault(rates[id(parameter)], []).append(parameter)
            settings = {key: value for key, value in group.items() if key != "params"}
            first, *others = sorted(by_rate, reverse=True)
            group["params"], group["scale"] = by_rate[first], settings["scale"] * first
            for rate in others:
                part.add_param_group({**settings, "params": by_rate[rate], "scale": settings["scale"] * rate})


def _held(model: LanguageModel, config: ContinualConfig, languages: Sequence[str]) -> Held:
    missing = sorted(set(config.old) - set(languages))
    if missing:
        raise ConfigurationError(
            f"train.continual.old names {missing[0]}, which the run has no rows of",
            "Leave sampler.languages as `evenglot add-language` wrote it",
        )
    if config.blocks is not None and not all(0 <= block < len(model.blocks) for block in config.blocks):
        raise ConfigurationError(
            f"train.continual.blocks names block {max(config.blocks, key=abs)}, the model has {len(model.blocks)}",
            "Blocks are counted from 0",
        )
    stacked = language_rows(model)
    is_old = torch.tensor([lang in config.old for lang in languages])
    core = 0.0 if config.mode == "frozen" else config.rate
    own = config.rate if config.mode == "open" and config.adapters else 0.0
    top = len(model.blocks) - 1
    rates: dict[str, float] = {}
    rows: dict[str, Rows] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if name in stacked:
            rows[name] = Rows(is_old.to(parameter.device), own)
        elif name == _EMBEDDING:
            rate = core if config.blocks is None else 0.0
            if len(parameter) > config.old_vocabulary:
                old = torch.arange(len(parameter), device=parameter.device) < config.old_vocabulary
                rows[name] = Rows(old, rate)
            else:
                rates[name] = rate
        else:
            rates[name] = core if config.blocks is None or top - model.depth(name) in config.blocks else 0.0
    return Held(rates, rows)


def _hold(parameter: nn.Parameter, old: Tensor) -> None:
    """Leave the old rows without a gradient."""
    moves = (~old).to(parameter.dtype).view(-1, *[1] * (parameter.ndim - 1))
    parameter.register_hook(lambda gradient: gradient * moves)  # type: ignore[no-untyped-call]


def _slow_rows(part: torch.optim.Optimizer, partly: Sequence[tuple[nn.Parameter, Rows]]) -> None:
    """Have the old rows of some parameters go only a share of each step."""
    before: list[Tensor] = []

    def keep(*_: Any) -> None:
        before[:] = [parameter.detach()[rows.old] for parameter, rows in partly]

    def put(*_: Any) -> None:
        with torch.no_grad():
            for (parameter, rows), start in zip(partly, before, strict=True):
                parameter[rows.old] = torch.lerp(start, parameter[rows.old], rows.rate)

    if partly:
        part.register_step_pre_hook(keep)
        part.register_step_post_hook(put)


def _set_origins(model: LanguageModel, languages: Sequence[str], old: Sequence[str]) -> None:
    """Have the deviation of new languages count from where they start; that of old ones from the prior, as before."""
    new = torch.tensor([lang not in old for lang in languages])
    for module in model.modules():
        if isinstance(module, LanguageAdapter):
            module.start_from(new)
