"""Redundancy between language paths: two languages' adapters should not add the same.

Redundancy reduction (Barlow Twins, Zbontar et al. 2021, arXiv 2103.03230; VICReg, Bardes et al. 2022, arXiv 2105.04906)
looks at the cross-covariance of two views of the same examples. Here the examples are vectors h of the residual stream
and the views are what two languages' paths p_a and p_b make of them, C_ab = Cov(p_a(h), p_b(h)). Barlow Twins draws C
towards the identity, because its views are to agree; here the goal is 0. As one number between 0 and 1 over the vectors
of one row, there are two:

    functions:  |C_ab|^2 / (|C_aa| |C_bb|)                 what both compute, in whatever directions they write it
    vectors:    max(0, tr C_ab)^2 / (tr C_aa tr C_bb)      what both add in the same direction

The first is linear CKA (Kornblith et al. 2019, arXiv 1905.00414), which turning or mirroring a path's output does not
change. The second is the squared cosine of what the paths add. If p_l = common + special_l with special parts that are
uncorrelated between languages, tr C_ab is the variance of the common part, which the core could add for both. |C|^2 is
estimated without bias from S tokens of a row (Song et al. 2012, JMLR 13; U-centring, Székely & Rizzo 2014, arXiv
1310.2926) by the inner products of pairs of tokens: no matrix of width x width is made, S^2 numbers a row are, and rows
in other passes or processes do not matter to it.

The norms below the line do what VICReg's variance term does: a path gains nothing by shrinking. The vectors h are taken
as given, so that adapters move and the core does not, and nothing goes back through the blocks below.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from corpus.hashing import stable_hash
from trainer.model.adapters import LanguageAdapter
from trainer.model.language_model import token_languages
from trainer.regularisers.base import Moment, Penalty
from trainer.regularisers.options import RedundancyOptions
from trainer.regularisers.pairs import drawn_others, unrelated


def penalty(moment: Moment, options: RedundancyOptions, memory: Mapping[str, Tensor]) -> Penalty:
    """Mean redundancy over the rows, by their predicted tokens, and over the blocks; zero without adapters."""
    adapters = moment.model.adapters()
    if not adapters:
        return Penalty(moment.nothing())
    batch = moment.batch
    columns = taken(batch.tokens.shape[1], options.tokens, moment.step).to(batch.tokens.device)
    languages = token_languages(batch)[:, columns]
    others = drawn_others(moment, "redundancy")[languages.clamp(min=0)]
    apart = unrelated(moment, options.relatives, languages.clamp(min=0), others)
    if options.between == "core":
        apart = torch.ones_like(apart)
    known = (languages >= 0) & (batch.segments[:, columns] >= 0)
    alike = (languages[:, :, None] == languages[:, None]) & known[:, :, None] & known[:, None]
    pairs = alike * apart[:, :, None]
    rows = []
    for block, vectors in sorted(moment.outputs.inner.items()):
        if block in options.wanted(len(adapters)):
            given = vectors[:, columns].detach().float()
            one, other = _views(adapters[block], given, languages, others, options.between)
            compare = same_direction if options.compare == "vectors" else redundancy
            rows.append(compare(one, other, given, alike.float(), pairs, options.floor))
    predicted = torch.bincount(batch.select // batch.tokens.shape[1], minlength=len(batch.tokens))
    return Penalty(moment.mean_over_tokens(torch.stack(rows).mean(dim=0) * predicted))


def redundancy(one: Tensor, other: Tensor, given: Tensor, alike: Tensor, pairs: Tensor, floor: float) -> Tensor:
    """Debiased linear CKA of two views, row by row.

    Args:
        one: [B, S, D].
        other: [B, S, D].
        given: what both were made of, whose size the floor is a share of, [B, S, D].
        alike: 1 for two tokens of one group, which has its own mean, a token and itself included, [B, S, S]. Groups of
            less than four tokens say nothing.
        pairs: weight of each pair of tokens; 0 for those that are not alike. What it says of a token and itself is
            ignored, [B, S, S].
        floor: views whose squared size is below this share of what they were made of count little.

    Returns:
        from -1 to 1: about 0 on average for independent views, and 0 where there are no pairs, [B].
    """
    width = given.shape[-1]
    pairs = pairs * (alike.sum(dim=2, keepdim=True) > 3) * (1 - torch.eye(pairs.shape[1], device=pairs.device))
    first, second = (around_mean(view, alike) for view in (one, other))
    size = mean_square(given, alike)
    least = (floor * size).square() * pairs.sum(dim=(1, 2)) / width + 1e-20
    gram, other_gram = (centred(torch.bmm(view, view.mT), alike) for view in (first, second))
    common = (gram * other_gram * pairs).sum(dim=(1, 2))
    own = (gram.square() * pairs).sum(dim=(1, 2)) + least
    others = (other_gram.square() * pairs).sum(dim=(1, 2)) + least
    return common * torch.rsqrt(own) * torch.rsqrt(others)


def same_direction(one: Tensor, other: Tensor, given: Tensor, alike: Tensor, pairs: Tensor, floor: float) -> Tensor:
    """Squared cosine of two views around their means, 0 where it is negative; arguments as for :func:`redundancy`.

    Returns:
        from 0 to 1, [B].
    """
    weight = pairs.diagonal(dim1=1, dim2=2)[..., None]
    first, second = (around_mean(view, alike) for view in (one, other))
    least = floor * mean_square(given, alike) * weight.sum(dim=(1, 2)) + 1e-10
    common = (first * second * weight).sum(dim=(1, 2)).clamp(min=0)
    own = (first.square() * weight).sum(dim=(1, 2)) + least
    others = (second.square() * weight).sum(dim=(1, 2)) + least
    return common.square() / (own * others)


def around_mean(view: Tensor, alike: Tensor) -> Tensor:
    """Vectors less the mean of their group, [B, S, D]."""
    return view - torch.bmm(alike / alike.sum(dim=2, keepdim=True).clamp(min=1), view)


def mean_square(view: Tensor, alike: Tensor) -> Tensor:
    """Mean squared distance of vectors from their group's mean, [B]."""
    present = alike.diagonal(dim1=1, dim2=2)
    squares = around_mean(view, alike).square().sum(dim=2)
    return (squares * present).sum(dim=1) / present.sum(dim=1).clamp(min=1)


def centred(gram: Tensor, alike: Tensor) -> Tensor:
    """Inner products as if the means of the tokens' groups were known and subtracted, without bias (U-centring).

    Args:
        gram: inner products of tokens, [B, S, S].
        alike: 1 for two tokens of one group, a token and itself included, [B, S, S].

    Returns:
        [B, S, S]; 0 on the diagonal and between groups.
    """
    apart = alike - torch.diag_embed(alike.diagonal(dim1=1, dim2=2))
    size = alike.sum(dim=2).clamp(min=4)
    gram = gram * apart
    row = gram.sum(dim=2)
    total = torch.bmm(alike, row[..., None])[..., 0] / ((size - 1) * (size - 2))
    row = row / (size - 2)
    return (gram - row[:, :, None] - row[:, None] + total[..., None]) * apart


def taken(length: int, count: int, step: int) -> Tensor:
    """Columns of a row that are looked at: evenly spread, from another start in each step; int64 [count or length]."""
    count = min(count, length)
    return (torch.arange(count) * length // count + stable_hash("redundancy", step) % length) % length


def _views(
    adapter: LanguageAdapter, given: Tensor, languages: Tensor, others: Tensor, between: str
) -> tuple[Tensor, Tensor]:
    """What the language's path adds to some vectors, and what it is compared with, both [B, S, D]."""
    if between == "core":
        return adapter(given, languages) - given, given
    both = torch.cat((given, given))
    one, other = (adapter(both, torch.cat((languages, others))) - both).chunk(2)
    return one, other
