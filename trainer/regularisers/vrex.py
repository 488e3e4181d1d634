"""Variance of the languages' losses: against models that learn the major languages and neglect the others.

V-REx (Krueger et al. 2021, arXiv 2003.00688) adds the variance of the risks of the training environments to their mean:
a model that fits some environments at the cost of others pays for it. The environments are the languages, each of which
counts the same however much text it has, and the risk of one is its loss above a baseline, since raw losses of
languages cannot be compared:

    penalty = 1/K sum_l (r_l - mean r)^2        both sides, as in the paper
    penalty = 1/K sum_l max(0, r_l - mean r)^2  upper: only languages that are worse off than the mean

The first also pays for making the best languages worse; the second is the upper semivariance.

A batch's variance of its own losses is too large by their noise, and a pass sees a few rows of a step. So the value and
its derivative by each r_l are taken at the mean losses of the last steps, of all processes, and the gradient is that of

    sum_l dpenalty/dr_l * (summed loss of l in this step / tokens of l expected in a step):

no second pass, and the same on any number of processes. Divided by the share of l, the derivative is a factor of its
tokens' loss, which is kept within ``cap``.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from trainer.regularisers.base import Moment, Penalty
from trainer.regularisers.options import VRExOptions


def penalty(moment: Moment, options: VRExOptions, memory: Mapping[str, Tensor]) -> Penalty:
    """The penalty of one pass, in nats squared; zero until two languages were met.

    Metrics: ``gap``, excess loss of the language worst off less the mean's, in nats per token.
    """
    evidence = moment.evidence
    assert evidence.recent is not None, "the registry asks for recent losses"
    assert evidence.recent_share is not None
    value, slope, gap = variance(evidence.recent, options.sides)
    factor = (slope / evidence.recent_share.clamp(min=1e-12)).clamp(-options.cap, options.cap)
    weighted = moment.losses * factor[moment.languages]
    # A zero with the gradient of the weighted losses.
    slant = moment.mean_over_tokens(weighted - weighted.detach())
    return Penalty(value + slant, {"gap": gap})


def variance(risks: Tensor, sides: str) -> tuple[Tensor, Tensor, Tensor]:
    """Variance of the risks of the languages that were met, or its upper half.

    Args:
        risks: in nats per token, not a number for languages that were not met, [K].
        sides: ``both`` or ``upper``.

    Returns:
        the variance; its derivative by each risk, [K], 0 for languages that were not met; and how far the largest risk
        is above the mean.
    """
    met = ~risks.isnan()
    count = met.sum().clamp(min=1)
    risks = risks.nan_to_num()
    mean = risks.sum() / count
    above = (risks - mean) * met
    if sides == "upper":
        above = above.clamp(min=0)
    # The mean moves with each risk too: d above_j / d r_l = [j = l] - 1 / K for each j that counts.
    slope = 2 / count * (above - above.sum() / count) * met
    return above.square().sum() / count, slope, ((risks - mean) * met).max()
