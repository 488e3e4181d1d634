"""Attention of tokens to those of their own document, however documents are packed into rows.

One mask of [B, 1, L, L] says it all, and rules out the kernels that never form the matrix of scores; its memory grows
with L squared, and most of its work is on pairs that do not see each other. Since the host knows the documents before
the rows go to the device, it can choose a layout that leaves those pairs out: every layout here gives the same vectors
up to rounding.

Shape letters: B rows, L tokens of a row, T = B * L, H heads, W width of a head.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from trainer.config import AttentionWay
from trainer.model.documents import Documents

Segments = npt.NDArray[np.int32]
Bidirectional = npt.NDArray[np.bool_]


class Layout(Protocol):
    """Who sees whom in some rows, in a form that attention is computed from."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attention of each token to those that it may see; all of them, and the result, [B, L, H, W]."""
        ...

    def rows(self, kept: Tensor) -> Layout:
        """The same for some of the rows, given their numbers on the host, int64 [b]."""
        ...


class Dense(NamedTuple):
    """A mask over all pairs of a row's tokens; works everywhere."""

    mask: Tensor
    """Whether a token (the third axis) sees another (the fourth), bool [B, 1, L, L]."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """See :class:`Layout`."""
        return _by_head(query, key, value, mask=self.mask)

    def rows(self, kept: Tensor) -> Dense:
        """See :class:`Layout`."""
        return Dense(self.mask.index_select(0, kept.to(self.mask.device, non_blocking=True)))


class Whole(NamedTuple):
    """Rows of one document each, all read in the same way: no mask is needed."""

    causal: bool

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """See :class:`Layout`."""
        return _by_head(query, key, value, causal=self.causal)

    def rows(self, kept: Tensor) -> Whole:
        """See :class:`Layout`."""
        return self


def _by_head(query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None = None, causal: bool = False) -> Tensor:
    """Torch's attention, which wants the heads before the tokens."""
    query, key, value = (x.transpose(1, 2) for x in (query, key, value))
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal).transpose(1, 2)


def attention_mask(segments: Tensor, bidirectional: Tensor) -> Tensor:
    """Who may see whom: tokens of the same document, and only earlier ones unless the row is bidirectional.

    Args:
        segments: int32 [B, L].
        bidirectional: bool [B].

    Returns:
        bool [B, 1, L, L]; every token sees itself, so no row of the mask is empty.
    """
    length = segments.shape[1]
    same = segments[:, :, None] == segments[:, None, :]
    earlier = torch.ones(length, length, dtype=torch.bool, device=segments.device).tril()
    return (same & (earlier | bidirectional[:, None, None]))[:, None]


def dense(segments: Tensor, bidirectional: Tensor) -> Dense:
    """The layout that asks nothing of the host; arguments as in :func:`attention_mask`."""
    return Dense(attention_mask(segments, bidirectional))


def lay_out(
    segments: Segments, bidirectional: Bidirectional, device: torch.device, way: AttentionWay = "auto"
) -> Layout | None:
    """Choose a layout on the host.

    Args:
        segments: document of each token, [B, L].
        bidirectional: whether a row is read from both sides, [B].
        device: where attention will be computed.
        way: the setting of that name; ``auto`` takes no mask where none is needed, and documents by length elsewhere.

    Returns:
        The layout; None leaves it to the model to make a dense one.

    Raises:
        ConfigurationError: the way needs a GPU or another version of torch.
    """
    if way == "dense":
        return None
    if (segments == segments[:, :1]).all() and (bidirectional == bidirectional[0]).all():
        return Whole(causal=not bidirectional[0])
    return Documents.of(segments, bidirectional, device)
