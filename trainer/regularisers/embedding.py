"""Deviation of token embeddings from a prior, the stronger the less often the token occurs in the training text.

What the deviation penalty does for adapters, by token: with a Gaussian prior N(m_v, s^2) on the row e_v of a piece v of
the vocabulary and N_v occurrences of it in the training text, the maximum a posteriori estimate minimises, beside the
loss of those occurrences,

    |e_v - m_v|^2 / (2 s^2)

once, that is, |e_v - m_v|^2 / (2 s^2 N_v) at each occurrence. So the penalty is the mean over the predicted tokens of
that quotient for the row of each: a piece that only one small language uses is held firmly, one that a large language
uses too is nearly free. Rows of pieces that are not in the batch are left alone.

The prior's mean is the rows' common mean, the row's own start, or its running mean; s^2 is the mean square of the rows
around their common mean as they are now (an empirical Bayes prior, after Efron & Morris 1973), so the strength does not
depend on the embeddings' scale.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from trainer.regularisers.base import Moment, Penalty
from trainer.regularisers.options import EmbeddingOptions


def penalty(moment: Moment, options: EmbeddingOptions, memory: Mapping[str, Tensor]) -> Penalty:
    """The penalty of one pass.

    Metrics: ``kl``, the divergence in nats averaged over the pass's predicted tokens, not divided by N_v.
    """
    rows = moment.model.embedding.weight
    occurrences = moment.evidence.occurrences
    assert occurrences is not None, "the registry asks for occurrences"
    with torch.no_grad():
        centre = rows.mean(dim=0)
        variance = (rows - centre).square().mean().clamp(min=1e-12)
    kept: Mapping[str, Tensor] = {}
    if options.prior == "mean":
        prior = centre.expand_as(rows)
    else:
        prior = memory["prior"] if memory else rows.detach().clone()
        kept = {"prior": _next(prior, rows, options) if moment.last else prior}
    labels = moment.labels
    moved = rows.index_select(0, labels).float() - prior.index_select(0, labels)
    kl = moved.square().sum(dim=1) / (2 * variance)
    known = occurrences.index_select(0, labels).clamp(min=1) ** options.power
    strengths = moment.token_strengths
    held = kl / known if strengths is None else kl / known * strengths
    return Penalty(moment.mean_over_tokens(held), {"kl": moment.mean_over_tokens(kl.detach())}, kept)


def _next(prior: Tensor, rows: Tensor, options: EmbeddingOptions) -> Tensor:
    """The prior of the next step."""
    if options.prior == "start":
        return prior
    return torch.lerp(prior, rows.detach(), 1 - options.decay)
