"""Vectors in another order, whose gradients go the way back by a selection and not by a scattered sum.

The gradient of ``index_select`` adds up whatever points to the same place, in an order that a device may choose. Where
every vector is asked for once, padding aside, selecting its one place is the same sum, faster and always in one order.
"""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor
from torch.autograd import Function


def moved(vectors: Tensor, order: Tensor, back: Tensor) -> Tensor:
    """The vectors at some places, one after the other.

    Args:
        vectors: [T, ...].
        order: for each of the P results, the vector it is; int64 [P]. A vector may be there again as padding, and
            padding has no gradient.
        back: for each vector, the one result that its gradient comes from; int64 [T].

    Returns:
        [P, ...].
    """
    return cast("Tensor", _Moved.apply(vectors, order, back))  # type: ignore[no-untyped-call]


class _Moved(Function):
    @staticmethod
    def forward(ctx: Any, vectors: Tensor, order: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(back)
        return vectors.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (back,) = ctx.saved_tensors
        return gradients[0].index_select(0, back), None, None
