"""The worst distribution over languages within a chi-square ball around their shares.

Zhou et al. 2021 (arXiv 2109.04020) train multilingual translation by best responses to

    max_q sum_l q_l * loss_l  subject to  1/2 * sum_l p_l * (q_l / p_l - 1)^2 <= radius

Its solution is q_l proportional to p_l * max(0, loss_l - eta) for the eta at which the constraint holds with
equality (Duchi & Namkoong 2021, arXiv 1810.08750), found here by bisection.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from trainer.weighting import ChiSquareOptions
from trainer.weighting.base import LanguageLosses, Weighting

_HALVINGS = 40
_NARROWEST, _WIDEST = -14.0, 14.0
"""Bounds of the logarithm of the largest loss less eta, in nats."""


def weigh(losses: LanguageLosses, options: ChiSquareOptions, memory: Mapping[str, Tensor]) -> Weighting:
    """The best response to the losses; the shares themselves where all losses are equal."""
    share = losses.share
    largest = losses.excess.where(losses.seen, -float("inf")).max().clamp(min=-1e6)
    low = share.new_full((), _NARROWEST)
    high = share.new_full((), _WIDEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        too_far = _divergence(share, _ratio(losses, largest - middle.exp())) > options.radius
        low, high = low.where(~too_far, middle), high.where(too_far, middle)
    return Weighting(share * _ratio(losses, largest - high.exp()))


def _ratio(losses: LanguageLosses, eta: Tensor) -> Tensor:
    """q / p for one eta, [K]."""
    above = (losses.excess - eta).clamp(min=0).where(losses.seen, 0.0)
    return above / (losses.share * above).sum().clamp(min=1e-30)


def _divergence(share: Tensor, ratio: Tensor) -> Tensor:
    return (share * (ratio - 1).square()).sum() / 2
