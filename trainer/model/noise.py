"""What is left out at random while training: values of rows, and whole blocks.

Dropout (Srivastava et al. 2014) at a rate that each row, or each token, has for itself: languages that are repeated
often can be held back from learning their text by heart while others train without (ordinary dropout hurts where text
is read once, arXiv 2505.24788). Stochastic depth (Huang et al. 2016, arXiv 1603.09382) leaves a block out for some of
the rows: as many as the rate says, exactly, so that the time saved is its share of the block's work.

Draws come from torch's generator, which the step seeds by its number.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from trainer.model.grouping import per_token


class Noise(NamedTuple):
    """What is left out in one forward pass; B rows."""

    dropout: Tensor | None
    """Rate of each row, float32 [B], or of each token, [B, L], below 1; None for no dropout."""
    depth: tuple[float, ...]
    """Share of the rows for which each block is left out; empty for none."""


SILENT = Noise(None, ())
"""Nothing is left out."""


def drop(x: Tensor, rates: Tensor | None) -> Tensor:
    """Set values to zero at the rate of their row or token and scale the others up.

    Args:
        x: [B, L, D].
        rates: float32 [B] or [B, L], or None to change nothing.
    """
    if rates is None:
        return x
    keep = per_token(1 - rates)
    kept = torch.rand(x.shape, device=x.device) < keep
    return x * (kept / keep).to(x.dtype)


def kept_rows(rows: int, rate: float, device: torch.device) -> Tensor | None:
    """The rows that a block computes, int64 ascending; None for all of them.

    Args:
        rows: B.
        rate: share of the rows to be left out; the number is rounded, and one row at least is kept.
        device: of the result.
    """
    count = max(1, rows - round(rate * rows))
    if count == rows:
        return None
    return torch.randperm(rows)[:count].sort().values.to(device, non_blocking=True)
