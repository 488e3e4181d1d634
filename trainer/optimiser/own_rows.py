"""Rows of the tensors that hold something for each language: adapters, gates, the norms' own gains.

Languages may move at rates of their own, or not at all, their rows may be kept as they were at some step, and a
language may take over the mean of others' rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from trainer.model.adapters import LanguageAdapter
from trainer.model.language_model import LanguageModel
from trainer.optimiser.build import Optimiser
from trainer.sharding import cut_like, local

_OWN: Final = ("down", "up", "gate_bias", "usable", "own")
"""Names of the parameters that have a row for each language, in adapters and in norms."""


def language_rows(model: nn.Module) -> set[str]:
    """Names of the parameters that have a row for each language."""
    return {
        f"{path}.{name}"
        for path, module in model.named_modules()
        for name, _ in module.named_parameters(recurse=False)
        if name in _OWN and (isinstance(module, LanguageAdapter) or name == "own")
    }


def own_parameters(model: LanguageModel) -> dict[str, nn.Parameter]:
    """The trained parameters with a row for each language, by name."""
    names = language_rows(model)
    return {name: value for name, value in model.named_parameters() if name in names and value.requires_grad}


def mean_rows(stacked: Tensor, languages: Sequence[int]) -> Tensor:
    """The mean of some languages' rows, which another language may start from.

    The mean of inner and that of outer projections are taken one by one: all adapters leave the same inner projection,
    so their inner units still correspond.

    Args:
        stacked: a tensor with a row for each language.
        languages: at least one index.
    """
    return torch.stack([stacked[language] for language in languages]).mean(dim=0)


@torch.no_grad()
def take_over(model: LanguageModel, language: int, relatives: Sequence[int]) -> None:
    """Give a language the mean of others' rows as they are now; how much of its adapter it may use stays its own.

    Args:
        model: not cut among processes.
        language: index of the one that starts.
        relatives: indices of the others, at least one.
    """
    for value in own_parameters(model).values():
        value[language] = mean_rows(value, relatives)


@torch.no_grad()
def forget_moments(model: LanguageModel, optimiser: Optimiser, language: int) -> None:
    """Set what the optimiser remembers of a language's rows to zero."""
    for value in own_parameters(model).values():
        for remembered in optimiser.state(value).values():
            if remembered.shape == value.shape:
                remembered[language] = 0


class RowRates:
    """Learning rates of the languages' own rows, as a share of the run's.

    A row goes that share of the way that the optimiser takes it. Nothing is done while all shares are 1.

    Args:
        model: of the run.
        optimiser: of its parameters.
        languages: number of languages.
    """

    def __init__(self, model: LanguageModel, optimiser: Optimiser, languages: int) -> None:
        self._parameters = list(own_parameters(model).values())
        self._rates = torch.ones(languages)
        for part in optimiser.parts:
            own = {id(parameter) for group in part.param_groups for parameter in group["params"]}
            mine = [parameter for parameter in self._parameters if id(parameter) in own]
            if mine:
                self._follow(part, mine)

    def set(self, rates: Sequence[float]) -> None:
        """Use these shares from the next step on, one for each language: 1 for the full rate, 0 for none."""
        self._rates = torch.tensor(list(rates), dtype=torch.float32)

    def _follow(self, part: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> None:
        before: list[Tensor] = []

        def keep(*_: Any) -> None:
            before[:] = [] if bool((self._rates == 1).all()) else [local(value).clone() for value in parameters]

        def put(*_: Any) -> None:
            for value, start in zip(parameters, before, strict=False):
                shares = local(cut_like(self._rates, value))
                end = local(value)
                end.copy_(torch.lerp(start, end, shares.view(-1, *[1] * (end.ndim - 1))))

        part.register_step_pre_hook(keep)
        part.register_step_post_hook(put)


class KeptRows:
    """A copy of each language's rows, taken at a step of the language's own.

    Args:
        model: whose rows are kept; its weights at present are the first copy.
        languages: number of languages.
    """

    def __init__(self, model: LanguageModel, languages: int) -> None:
        self._parameters = own_parameters(model)
        self._languages = languages
        self._kept = {name: value.detach().clone() for name, value in self._parameters.items()}

    def take(self, languages: Collection[int]) -> None:
        """Keep the rows of some languages as they are now."""
        for name, value in self._parameters.items():
            self._mix(local(self._kept[name]), local(value), self._chosen(languages, value))

    def exchange(self, languages: Collection[int]) -> None:
        """Put the kept rows of some languages into the model, and keep those that were there."""
        for name, value in self._parameters.items():
            kept, now = local(self._kept[name]), local(value)
            before = kept.clone()
            chosen = self._chosen(languages, value)
            self._mix(kept, now, chosen)
            self._mix(now, before, chosen)

    def state(self) -> dict[str, Tensor]:
        """Tensors for the checkpoint."""
        return dict(self._kept)

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        for name, value in self._kept.items():
            local(value).copy_(local(cut_like(tensors[name], value)))

    def _chosen(self, languages: Collection[int], like: Tensor) -> Tensor:
        """Which of the rows that lie here are of some languages, bool [rows]."""
        chosen = torch.zeros(self._languages, dtype=torch.bool)
        chosen[list(languages)] = True
        return local(cut_like(chosen, like))

    @staticmethod
    def _mix(target: Tensor, source: Tensor, chosen: Tensor) -> None:
        target.copy_(torch.where(chosen.view(-1, *[1] * (target.ndim - 1)), source, target))
