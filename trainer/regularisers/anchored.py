"""Distance penalties that hold weights near those of a trained model: L2-SP and elastic weight consolidation.

    l2_sp:  1/2 sum_i (w_i - w0_i)^2                Li et al. 2018, arXiv 1802.01483
    ewc:    1/2 sum_i F_i (w_i - w0_i)^2            Kirkpatrick et al. 2017, arXiv 1612.00796

w0 are the reference weights and F is the diagonal of the Fisher information of the old languages' tokens, so the value
of ``ewc`` is, to second order, how many nats per old token the old languages have lost. Both leave parameters that do
not move out, and of tensors with a row for each language, or token, everything but the rows that the file names.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor

from corpus.errors import ConfigurationError
from trainer.continual.anchor import Anchor, read_anchor
from trainer.model.language_model import LanguageModel
from trainer.regularisers.base import Moment, Penalty
from trainer.regularisers.options import EwcOptions, L2SpOptions


def l2_sp(moment: Moment, options: L2SpOptions, memory: Mapping[str, Tensor]) -> Penalty:
    """Half the squared distance from the reference weights.

    Without a file the reference is the weights before the first step, which are then remembered. Metrics:
    ``distance``, the root of the squared distance.
    """
    if options.reference is not None:
        anchor = _file(options.reference, options.hash, str(moment.evidence.share.device))
    else:
        anchor = Anchor(dict(memory) or _weights(moment.model), {}, {})
    squared = _squared(moment.model, anchor)
    return Penalty(
        squared / 2,
        {"distance": squared.detach().sqrt()},
        {} if options.reference is not None else anchor.weights,
    )


def ewc(moment: Moment, options: EwcOptions, memory: Mapping[str, Tensor]) -> Penalty:
    """The distance from the reference weights in the Fisher information of the old languages, in nats per old token.

    Metrics: ``distance``, as of ``l2_sp``.

    Raises:
        ConfigurationError: the file holds no Fisher information.
    """
    anchor = _file(options.reference, options.hash, str(moment.evidence.share.device))
    if not anchor.fisher:
        raise ConfigurationError(
            f"{options.reference} holds no Fisher information", "Make one with `evenglot add-language --ewc STRENGTH`"
        )
    with torch.no_grad():
        distance = _squared(moment.model, anchor).sqrt()
    return Penalty(_squared(moment.model, anchor, weighted=True) / 2, {"distance": distance})


def _squared(model: LanguageModel, anchor: Anchor, *, weighted: bool = False) -> Tensor:
    """Sum of the squared distances, each times its Fisher information if asked for."""
    total = torch.zeros((), device=model.embedding.weight.device)
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad or name not in anchor.weights:
            continue
        rows = anchor.rows.get(name)
        moved = (parameter if rows is None else parameter.index_select(0, rows)) - anchor.weights[name]
        square = moved.square()
        total = total + (square * anchor.fisher[name] if weighted else square).sum()
    return total


def _weights(model: LanguageModel) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad}


@lru_cache(maxsize=2)
def _file(path: str, digest: str | None, device: str) -> Anchor:
    return read_anchor(path, digest, torch.device(device))
