"""The learning rate's share over a run."""

from __future__ import annotations

import math
from typing import Literal


def share(kind: Literal["inverse_sqrt", "cosine"], step: int, total: int, warmup: float) -> float:
    """Share of the highest learning rate used for one step.

    Args:
        kind: ``inverse_sqrt`` falls with 1/sqrt(steps) after the warmup (Vaswani et al. 2017), ``cosine`` to zero.
        step: 0 for the first.
        total: steps of the whole run.
        warmup: share of them in which it rises.
    """
    rising = max(1, round(warmup * total))
    if step < rising:
        return (step + 1) / rising
    if kind == "inverse_sqrt":
        return math.sqrt(rising / (step + 1))
    return (1 + math.cos(math.pi * (step - rising) / max(1, total - rising))) / 2
