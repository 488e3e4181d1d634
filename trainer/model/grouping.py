"""Matrix products of which each token takes the matrix of its own language: tokens sorted, one product for each group.

A batch whose rows hold several languages cannot take its weights row by row. Its tokens are sorted by their language
instead, so that those of one language lie side by side, and multiplied group by group with the weights of all
languages where they are: nothing is copied but the vectors. Order and ends of the groups are tensors on the device,
worked out once for all layers; where torch has a grouped product (2.10 and later), nothing is reported back to the
host and nothing loops over languages there. Otherwise the sizes of the groups are asked for, for which the host waits
on a GPU.

Shape letters: T tokens (all of the batch's, row after row), K languages, I and O sizes of vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from trainer.model.moving import moved

_grouped_mm: Final[Callable[..., Tensor] | None] = getattr(functional, "grouped_mm", None)

_ALIGNMENT: Final = 16
"""Bytes of which the grouped product wants every stride to be a multiple."""


class Groups(NamedTuple):
    """The tokens of a batch by language."""

    order: Tensor
    """The tokens sorted by language, those of one language in the order of the batch, int64 [T]."""
    back: Tensor
    """Where each token is in that order, int64 [T]."""
    languages: Tensor
    """Language index of each token in that order, int64 [T]; tokens without a language stand with language 0."""
    known: Tensor
    """Whether each token in that order has a language, bool [T, 1]."""
    ends: Tensor
    """Where each language's tokens end, int32 [K]."""

    def sort(self, tokens: Tensor) -> Tensor:
        """Vectors of the batch, [B, L, I], to vectors by language, [T, I]."""
        return moved(tokens.flatten(0, 1), self.order, self.back)

    def unsort(self, sorted_tokens: Tensor, rows: int) -> Tensor:
        """Vectors by language, [T, I], to vectors of the batch, [B, L, I]."""
        return moved(sorted_tokens, self.back, self.order).view(rows, -1, sorted_tokens.shape[1])


def group(languages: Tensor, count: int) -> Groups:
    """Sort tokens by language, without asking the device for anything.

    Args:
        languages: language index of each token, int64 [B, L]; -1 for none.
        count: K.
    """
    index = languages.flatten().clamp(min=0)
    order = index.argsort(stable=True)
    ordered = index.index_select(0, order)
    numbers = torch.arange(count, device=index.device)
    ends = torch.searchsorted(ordered, numbers, right=True).to(torch.int32)
    known = (languages >= 0).flatten().index_select(0, order)[:, None]
    return Groups(order, order.argsort(), ordered, known, ends)


def per_token(values: Tensor) -> Tensor:
    """What each row, [B], or each token, [B, L], has, in a shape that multiplies vectors, [B, 1 or L, 1]."""
    return values[:, None, None] if values.ndim == 1 else values[..., None]


# Left as it is by torch.compile, whose tracing knows the grouped product in bfloat16 alone (torch 2.13).
@torch.compiler.disable  # type: ignore[untyped-decorator]
def grouped_product(vectors: Tensor, weights: Tensor, ends: Tensor) -> Tensor:
    """Multiply each group of vectors with its matrix, in autocast's precision where that is on.

    Args:
        vectors: [T, I], sorted by group.
        weights: [K, I, O].
        ends: where each group ends, int32 [K]; the last is T.

    Returns:
        [T, O].
    """
    device = vectors.device.type
    if torch.is_autocast_enabled(device):
        lower = torch.get_autocast_dtype(device)
        vectors, weights = vectors.to(lower), weights.to(lower)
    if _grouped_mm is None or vectors.dtype == torch.float64:
        sizes = ends.diff(prepend=ends.new_zeros(1)).tolist()
        parts = torch.split(vectors, sizes)
        return torch.cat([part @ matrix for part, matrix in zip(parts, weights.unbind(0), strict=True)])
    outputs = weights.shape[2]
    weights = _padded(_padded(weights, 1), 2)
    return _grouped_mm(_padded(vectors, 1), weights, offs=ends)[:, :outputs]


def _padded(x: Tensor, axis: int) -> Tensor:
    """x with zeros behind it along an axis, up to the alignment; x itself where it has it."""
    missing = -x.shape[axis] % (_ALIGNMENT // x.element_size())
    return functional.pad(x, (0, 0) * (x.ndim - 1 - axis) + (0, missing)) if missing else x
