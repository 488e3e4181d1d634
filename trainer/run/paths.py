"""What the languages' paths are like: how open their gates are, how large their adapters and how far from the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from trainer.distributed import World
from trainer.model.adapters import LanguageAdapter
from trainer.model.language_model import LanguageModel
from trainer.sharding import whole_weights


@torch.no_grad()
def path_figures(model: LanguageModel, languages: Sequence[str], world: World) -> dict[str, dict[str, Any]]:
    """Parts of a ``train`` line; all processes must call it.

    Args:
        model: of the run.
        languages: tags, in the order of the model's indices.
        world: the processes.

    Returns:
        ``adapters``: by language the ``norm`` of all its projections and their ``deviation``, the squared distance from
        their start in units of their prior variance, summed over the blocks. ``gates``: by language and block how open
        the path is where the input says nothing, from 0 to 1. Either is left out where the model has none.
    """
    adapters = model.adapters()
    if not adapters:
        return {}
    # Reading whole weights of a cut model is an exchange between the processes, so all of them do it.
    with whole_weights(model):
        rows = [_squares(adapters), torch.stack([adapter.deviation() for adapter in adapters]).sum(dim=0)]
        openness = [gate for adapter in adapters if (gate := adapter.openness()) is not None]
        table = torch.stack([*rows, *openness]).double().cpu()
    if not world.leads:
        return {}
    norms, deviations, *gates = table.tolist()
    figures: dict[str, dict[str, Any]] = {
        "adapters": {
            lang: {"norm": norms[index] ** 0.5, "deviation": deviations[index]} for index, lang in enumerate(languages)
        }
    }
    if gates:
        figures["gates"] = {
            lang: {f"block_{number}": gate[index] for number, gate in enumerate(gates)}
            for index, lang in enumerate(languages)
        }
    return figures


def _squares(adapters: Sequence[LanguageAdapter]) -> Tensor:
    """Sum of the squares of each language's projections, [languages]."""
    return torch.stack(
        [adapter.down.square().sum(dim=(1, 2)) + adapter.up.square().sum(dim=(1, 2)) for adapter in adapters]
    ).sum(dim=0)
