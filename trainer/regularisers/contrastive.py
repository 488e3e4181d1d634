"""InfoNCE on sentences and their translations, from the vectors of a block in the middle of the model.

For sentence i with the mean v_i of its tokens' vectors, z_i = v_i / |v_i| and its translation t(i):

    loss_i = -log( exp(z_i z_t(i) / T) / (exp(z_i z_t(i) / T) + sum over negatives j of exp(z_i z_j / T)) )

averaged over all sentences, so that each language of a pair searches in the other's. InfoNCE is from van den Oord et
al. 2018 (arXiv 1807.03748), for translations in the middle of an encoder from InfoXLM (Chi et al. 2021, arXiv
2007.07834). Negatives are all other sentences of the step on all processes that are not alike, and the vectors of past
steps in the queue, if there is one (He et al. 2020, arXiv 1911.05722; but without their momentum encoder: the queue
holds what the weights of those steps made, so it should be short).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from trainer.config.parallel import ContrastiveOptions
from trainer.parallel.pairs import Pairs, pooled
from trainer.regularisers.base import Moment, Penalty


def penalty(moment: Moment, options: ContrastiveOptions, memory: Mapping[str, Tensor]) -> Penalty:
    """The loss in nats per sentence; metrics: share of the sentences whose translation is nearest, mean cosines."""
    pairs = moment.pairs
    assert pairs is not None  # a method that reads pairs is called with them alone
    vectors = pooled(moment.outputs.inner[options.block(len(moment.model.blocks))], pairs)
    remembered: dict[str, Tensor] = {}
    if options.centre:
        vectors, remembered = centred(vectors, pairs.languages, moment.model.languages, options.centre_decay, memory)
    unit = functional.normalize(vectors, dim=-1)
    cosines = unit @ unit.T
    count = len(unit)
    own = torch.arange(count, device=unit.device)
    translation = own ^ 1
    shut = pairs.alike.clone()
    shut[own, translation] = False
    scores = (cosines / options.temperature).masked_fill(shut, -torch.inf)
    if options.queue:
        scores, queue = with_queue(scores, unit, pairs, options, memory)
        remembered |= queue
    found = functional.cross_entropy(scores, translation)
    with torch.no_grad():
        negative = ~pairs.alike
        metrics = {
            "accuracy": (scores.argmax(dim=1) == translation).float().mean(),
            "cosine_of_translations": cosines[own, translation].mean(),
            "cosine_of_others": (cosines * negative).sum() / negative.sum().clamp(min=1),
        }
    return Penalty(found, metrics, remembered)


def centred(
    vectors: Tensor, languages: Tensor, count: int, decay: float, memory: Mapping[str, Tensor]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Vectors less the mean of their language, and the means to remember.

    What all sentences of a language have in common says nothing of what one means, and lets a model tell a translation
    from others by its language alone (Libovický et al. 2020, arXiv 2004.05160, centre so for retrieval). The means are
    running ones, because a step holds few sentences of each language; no gradient flows into them.

    Args:
        vectors: [S, D].
        languages: of the sentences, [S].
        count: number of languages.
        decay: part of a mean that is kept in a step that has its language.
        memory: of the step before.
    """
    fresh = vectors.detach()
    number = torch.zeros(count, device=fresh.device).index_add(0, languages, torch.ones_like(fresh[:, 0]))
    sums = torch.zeros(count, fresh.shape[1], device=fresh.device).index_add(0, languages, fresh)
    means = memory.get("means", torch.zeros_like(sums))
    weight = memory.get("weight", torch.zeros_like(number))
    # Sums and weights decay alike, so that the first steps give plain means and no draw towards zero.
    kept = torch.where(number > 0, decay, 1.0)
    total = kept * weight + number
    means = torch.where(
        number[:, None] > 0, (means * (kept * weight)[:, None] + sums) / total.clamp(min=1e-9)[:, None], means
    )
    return vectors - means[languages], {"means": means, "weight": total}


def with_queue(
    scores: Tensor, unit: Tensor, pairs: Pairs, options: ContrastiveOptions, memory: Mapping[str, Tensor]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Scores with those of the queue's vectors beside them, and the queue after this step's have joined it.

    Vectors of the sentence's own group are no negatives; near duplicates of other steps are not looked for.

    Args:
        scores: [S, S].
        unit: the step's vectors, [S, D].
        pairs: of the step.
        options: length of the queue.
        memory: of the step before.
    """
    size = options.queue
    vectors = memory.get("queue", unit.new_zeros(size, unit.shape[1]))
    groups = memory.get("queue_groups", pairs.groups.new_full((size,), -1))
    shut = (groups[None, :] == pairs.groups[:, None]) | (groups < 0)[None, :]
    past = (unit @ vectors.T / options.temperature).masked_fill(shut, -torch.inf)
    return torch.cat((scores, past), dim=1), {
        "queue": torch.cat((unit.detach(), vectors))[:size],
        "queue_groups": torch.cat((pairs.groups, groups))[:size],
    }
