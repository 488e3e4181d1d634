"""Attention document by document: documents of similar length side by side, with nothing between them to be masked.

The tokens of a batch are laid out anew for attention alone: documents sorted by length, those of similar length in one
batch of their own, padded to the longest of them. Each such batch is plain causal attention, or, for documents read
from both sides, attention under a mask of one row, so that kernels without a matrix of scores do both. What is left out
is the work on pairs of tokens of different documents, which in rows of many documents is nearly all of it.

Shape letters: T tokens of the batch, S places of the new layout (S >= T), P documents, H heads, W width of a head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

from trainer.model.moving import moved

_RATIO: Final = 1.25
"""Longest over shortest document of a bucket; smaller wastes less on padding and makes more buckets."""
_SHORT: Final = 16
"""Documents up to so many tokens share a bucket: there a call costs more than the padding."""


class Bucket(NamedTuple):
    """Documents of similar length that are computed together."""

    documents: int
    length: int
    """Of the longest."""
    keys: Tensor | None
    """Which places hold a token, bool [documents, 1, 1, length], where documents are read from both sides and some are
    shorter than others; None where no mask is needed."""
    causal: bool


@dataclass(frozen=True, eq=False)
class Documents:
    """The documents of some rows, laid out for attention."""

    places: Tensor
    """The token in each place of the new layout, int64 [S]; padding repeats the last of its document."""
    back: Tensor
    """The place of each token, int64 [T]."""
    buckets: tuple[Bucket, ...]
    segments: npt.NDArray[np.int32]
    """Document of each token, on the host, [B, L]."""
    bidirectional: npt.NDArray[np.bool_]
    """Whether a row is read from both sides, on the host, [B]."""

    @classmethod
    def of(
        cls, segments: npt.NDArray[np.int32], bidirectional: npt.NDArray[np.bool_], device: torch.device
    ) -> Documents | None:
        """Lay out some rows; None where a document does not lie in one piece.

        Args:
            segments: document of each token, [B, L]; padding is laid out too, like a document.
            bidirectional: whether a row is read from both sides, [B].
            device: of the tensors.
        """
        starts, lengths = pieces(segments)
        if len(starts) != sum(len(np.unique(row)) for row in segments):
            return None
        both = bidirectional[starts // segments.shape[1]]
        order = np.lexsort((-lengths, both))
        places: list[npt.NDArray[np.int64]] = []
        back = np.empty(segments.size, dtype=np.int64)
        buckets = []
        first, filled = 0, 0
        while first < len(order):
            last = _bucket_end(lengths[order], both[order], first)
            chosen = order[first:last]
            length, own = int(lengths[chosen[0]]), lengths[chosen]
            column = np.arange(length)
            inside = column < own[:, None]
            token = starts[chosen][:, None] + np.minimum(column, own[:, None] - 1)
            back[token[inside]] = filled + np.flatnonzero(inside)
            causal = not both[chosen[0]]
            keys = None if causal or inside.all() else _send(inside[:, None, None], device)
            buckets.append(Bucket(len(chosen), length, keys, causal))
            places.append(token.reshape(-1))
            first, filled = last, filled + token.size
        return cls(_send(np.concatenate(places), device), _send(back, device), tuple(buckets), segments, bidirectional)

    # Buckets are others in every batch: a compiled block calls this as it is, instead of being compiled anew each time.
    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attention of each token to those of its document; all of them, and the result, [B, L, H, W]."""
        laid = [moved(x.flatten(0, 1), self.places, self.back) for x in (query, key, value)]
        sizes = [bucket.documents * bucket.length for bucket in self.buckets]
        found = []
        for bucket, *parts in zip(self.buckets, *(torch.split(x, sizes) for x in laid), strict=True):
            shape = bucket.documents, bucket.length, *query.shape[2:]
            one, two, three = (x.view(shape).transpose(1, 2) for x in parts)
            mixed = functional.scaled_dot_product_attention(
                one, two, three, attn_mask=bucket.keys, is_causal=bucket.causal
            )
            found.append(mixed.transpose(1, 2).flatten(0, 1))
        return _gathered(torch.cat(found), self.back).view(query.shape)

    def rows(self, kept: Tensor) -> Documents:
        """The same for some of the rows, given their numbers on the host, int64 [b]."""
        chosen = kept.numpy()
        found = Documents.of(self.segments[chosen], self.bidirectional[chosen], self.back.device)
        assert found is not None  # documents that lie in one piece do so in fewer rows too
        return found


def pieces(segments: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each document begins in the rows laid end to end, and its length, both int64 [P]."""
    begins = np.ones(segments.shape, dtype=bool)
    begins[:, 1:] = segments[:, 1:] != segments[:, :-1]
    starts = np.flatnonzero(begins)
    return starts, np.diff(starts, append=segments.size)


def _bucket_end(lengths: npt.NDArray[np.int64], both: npt.NDArray[np.bool_], first: int) -> int:
    """The end of the bucket that begins with a document, in documents sorted by kind and from the longest on."""
    shortest = 0 if lengths[first] <= _SHORT else lengths[first] / _RATIO
    outside = np.flatnonzero((lengths[first:] < shortest) | (both[first:] != both[first]))
    return first + int(outside[0]) if len(outside) else len(lengths)


def _send(array: npt.NDArray[Any], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device, non_blocking=True)


class _Gathered(Function):
    """Places to tokens; what lies in the padding is left behind, and its gradient is zero."""

    @staticmethod
    def forward(ctx: Any, laid: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(back)
        ctx.places = len(laid)
        return laid.index_select(0, back)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (back,) = ctx.saved_tensors
        gradient = gradients[0]
        return gradient.new_zeros(ctx.places, *gradient.shape[1:]).index_copy_(0, back, gradient), None


def _gathered(laid: Tensor, back: Tensor) -> Tensor:
    return cast("Tensor", _Gathered.apply(laid, back))  # type: ignore[no-untyped-call]
