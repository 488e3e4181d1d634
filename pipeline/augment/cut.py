"""Which of the candidates that passed everything stay: the budget's cap, met to the byte."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from corpus.schema import NATURAL, ORIGINS

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def cut(methods: npt.NDArray[np.str_], sizes: Ints, order: Ints, parts: Mapping[str, int]) -> Bools:
    """Take candidates of one language up to its budget.

    The budget is divided among methods. Within a method each candidate is taken, in the given order, that still fits;
    what a method does not fill goes to the candidates that the others had too many of.

    Args:
        methods: origin of each of n candidates.
        sizes: UTF-8 bytes of each.
        order: candidates in the order in which they are taken; those that it leaves out do not stay.
        parts: bytes by method; their sum is the budget.

    Returns:
        which stay, shape (n,): never more bytes in all than the sum of the parts.
    """
    taken = np.zeros(len(sizes), dtype=bool)
    left = 0
    for method in (origin for origin in ORIGINS if origin != NATURAL):
        left += fill(taken, order[methods[order] == method], sizes, parts.get(method, 0))
    fill(taken, order[~taken[order]], sizes, left)
    return taken


def fill(taken: Bools, rows: Ints, sizes: Ints, room: int) -> int:
    """Take rows that fit, in their order; gives the bytes that are left.

    Args:
        taken: which are taken; marked here.
        rows: to choose from.
        sizes: of all candidates.
        room: bytes.
    """
    for row in rows.tolist():
        if int(sizes[row]) <= room:
            taken[row] = True
            room -= int(sizes[row])
    return room
