"""Deviation of each language's adapter from the shared core, the stronger the less text the language has.

With a Gaussian prior around the start of the adapters, N(w_0, s^2), and the language's weights w_l, the
Kullback-Leibler divergence of equally wide Gaussians around both is |w_l - w_0|^2 / (2 s^2). The maximum a
posteriori estimate and PAC-Bayes bounds (McAllester 1999; Catoni 2007, arXiv 0712.0248) both weigh it against
the language's n_l training tokens:

    penalty = sum_l share_l / n_l * |w_l - w_0|^2 / (2 s^2)

``share_l``, the language's share of the batch, is the factor that its own loss has in the batch's mean, so the
trade-off between a language's loss and its deviation depends on n_l alone and not on how often it is sampled.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from trainer.regularisers.base import Moment, Penalty
from trainer.regularisers.options import DeviationOptions


def penalty(moment: Moment, options: DeviationOptions, memory: Mapping[str, Tensor]) -> Penalty:
    """The penalty of one pass; zero when the model has no adapters.

    Metrics: ``kl``, the divergence in nats averaged over the batch's languages, not divided by n_l.
    """
    evidence = moment.evidence
    adapters = moment.model.adapters()
    if not adapters:
        return Penalty(moment.nothing(), {"kl": moment.nothing()})
    kl: Tensor = torch.stack([adapter.deviation() for adapter in adapters]).sum(dim=0) / 2
    weight = moment.weights / evidence.train_tokens**options.power
    return Penalty((weight * kl).sum(), {"kl": (evidence.share * kl.detach()).sum()})
