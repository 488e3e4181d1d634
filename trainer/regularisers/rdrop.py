"""R-Drop (Wu et al. 2021, arXiv 2106.14448), for languages that are read again and again.

Two passes over the same rows with different draws of dropout predict p and q; the penalty is the mean over predicted
tokens of their symmetric divergence,

    1/2 (KL(p || q) + KL(q || p)) = 1/2 sum_v (p_v - q_v) (log p_v - log q_v).

The second pass is taken over the rows of languages past ``after`` passes alone, since it is there that text is learnt
by heart. The paper also averages the likelihoods of the two passes; here that of the first stands alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from trainer.model.language_model import token_languages
from trainer.regularisers.base import Moment, Penalty
from trainer.regularisers.options import RDropOptions


def penalty(moment: Moment, options: RDropOptions, memory: Mapping[str, Tensor]) -> Penalty:
    """The penalty of one pass; zero where no row is of a language that was repeated enough.

    Metrics: ``rows``, share of the pass's rows that were computed twice.
    """
    passes = moment.evidence.passes
    assert passes is not None, "the registry asks for passes"
    languages = token_languages(moment.batch)
    often = ((passes >= options.after)[languages.clamp(min=0)] & (languages >= 0)).any(dim=1)
    rows = torch.nonzero(often)[:, 0]
    share = torch.tensor(len(rows) / max(1, len(often)), device=often.device)
    if not len(rows):
        return Penalty(moment.nothing(), {"rows": share})
    assert moment.again_on is not None
    second, places = moment.again_on(rows)
    one = moment.outputs.logits.index_select(0, places)
    apart = divergence(one.float(), second.logits.float())
    spoken = moment.languages.index_select(0, places)
    apart = apart * (passes >= options.after)[spoken]
    if moment.strengths is not None:
        apart = apart * moment.strengths[spoken]
    return Penalty(moment.mean_over_tokens(apart), {"rows": share})


def divergence(one: Tensor, other: Tensor) -> Tensor:
    """Mean of the two Kullback-Leibler divergences between predictions, in nats.

    Args:
        one: logits, [n, V].
        other: logits, [n, V].

    Returns:
        [n].
    """
    first, second = one.log_softmax(dim=-1), other.log_softmax(dim=-1)
    return ((first.exp() - second.exp()) * (first - second)).sum(dim=-1) / 2
