"""Orthogonality of the languages' subspaces: adapters of different languages write into different directions.

For the output weights U_a of a language's adapter, [bottleneck, width], S_a = U_a' U_a weighs the directions of the
residual stream that it writes into. The overlap of two languages is the cosine of their S,

    overlap = <S_a, S_b> / sqrt((|S_a|^2 + e^2) (|S_b|^2 + e^2)),  <S_a, S_b> = |U_a U_b'|^2,

0 for orthogonal subspaces and 1 for the same directions with the same weights: the RV coefficient of Robert & Escoufier
(1976) without centring. Orthogonality between the private subspaces of domains is from Bousmalis et al. 2016 (arXiv
1608.06019), who penalise |H_a' H_b|^2 without the norms; with them the penalty turns the subspaces and does not shrink
the weights, which is the deviation penalty's affair.

Adapters start at U = 0, where a cosine has no value and, close by, a gradient without bound. e is the |S| of weights
whose squares are the share ``floor`` of a usual initialisation's: languages that have hardly moved count little, and at
0 the overlap and its gradient are 0.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from trainer.model.adapters import LanguageAdapter
from trainer.regularisers.base import Moment, Penalty
from trainer.regularisers.options import OrthogonalityOptions
from trainer.regularisers.pairs import drawn_pairs, unrelated


def penalty(moment: Moment, options: OrthogonalityOptions, memory: Mapping[str, Tensor]) -> Penalty:
    """Mean overlap of the drawn pairs over the adapters; zero when the model has none.

    Metrics: ``largest``, the largest overlap of a pair that is to be kept apart, averaged over the adapters.
    """
    adapters = moment.model.adapters()
    if not adapters:
        return Penalty(moment.nothing(), {"largest": moment.nothing()})
    first, second = drawn_pairs(moment, "orthogonality", options.pairs)
    apart = unrelated(moment, options.relatives, first, second)
    both = torch.cat((first, second))
    found: list[Tensor] = []
    for adapter in adapters:
        if options.weights != "down":
            found.append(overlap(*_written(adapter, both, options.floor)))
        if options.weights != "up":
            found.append(overlap(*_read(adapter, both, options.floor)))
    overlaps = torch.stack(found).mean(dim=0) * apart
    return Penalty(overlaps.mean(), {"largest": overlaps.detach().max()})


def overlap(weights: Tensor, floor: float) -> Tensor:
    """Cosine of the second moments of pairs of matrices.

    Args:
        weights: the first matrices of all pairs, then the second, [2 P, r, D]; rows are directions.
        floor: e, in the unit of |S|.

    Returns:
        from 0 to 1, [P].
    """
    first, second = weights.chunk(2)
    squares = torch.bmm(weights, weights.mT).square().sum(dim=(1, 2))
    sizes = squares + floor**2
    one, two = sizes.chunk(2)
    return torch.bmm(first, second.mT).square().sum(dim=(1, 2)) * torch.rsqrt(one * two)


def _written(adapter: LanguageAdapter, languages: Tensor, floor: float) -> tuple[Tensor, float]:
    """Output weights of some languages, [P, bottleneck, width], and the floor of |S|.

    Weights of variance 1 / bottleneck have an S of norm width / sqrt(bottleneck), up to chance.
    """
    width, bottleneck = adapter.prior.shape
    return adapter.up.index_select(0, languages), floor * width * bottleneck**-0.5


def _read(adapter: LanguageAdapter, languages: Tensor, floor: float) -> tuple[Tensor, float]:
    """How far the input weights of some languages are from their common start, [P, bottleneck, width], and the floor.

    Weights of variance 1 / width have an S of norm sqrt(bottleneck), up to chance.
    """
    moved = adapter.down.index_select(0, languages) - adapter.prior
    return moved.mT, floor * float(adapter.prior.shape[1]) ** 0.5
