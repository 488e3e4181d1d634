"""Sparse gates: a language's own path has to earn its opening in each block.

The penalty is the mean opening of the languages' gates. Openings lie between 0 and 1, so this is their L1 norm
(Tibshirani 1996): each costs the same whatever its size, and a gate closes where opening it a little brings less than
that. The gradient of its logit is the opening times what is left to open, so gates that are closed move slowly either
way. Weighed by evidence, a language with little text has to justify its own path more: capacity by need, learnt instead
of set.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from trainer.regularisers.base import Moment, Penalty
from trainer.regularisers.options import GateOptions


def penalty(moment: Moment, options: GateOptions, memory: Mapping[str, Tensor]) -> Penalty:
    """Mean opening over the batch's languages, by their share, and over the adapters.

    Metrics: ``closed``, share of the gates of languages in the batch that are less than ``closed_below`` open.
    """
    found = [opening for adapter in moment.model.adapters() if (opening := adapter.openness()) is not None]
    if not found:
        return Penalty(moment.nothing(), {"closed": moment.nothing()})
    openings = torch.stack(found)
    present = (moment.evidence.share > 0).float()
    closed = ((openings.detach() < options.closed_below) * present).sum() / (present.sum() * len(found)).clamp(min=1)
    return Penalty((openings.mean(dim=0) * moment.weights).sum(), {"closed": closed})
