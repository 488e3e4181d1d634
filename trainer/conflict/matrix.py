"""Cosines between the gradients of groups, and their running means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from trainer.conflict.sketch import Sketch


class ConflictReport(NamedTuple):
    """How the gradients of G groups stand to each other; not a number where a group was not among the rows."""

    cosines: Tensor
    """Running means of the cosines between groups, float64 [G, G]; on the diagonal, between the halves of a group."""
    norms: Tensor
    """Norm of the gradient of each group's mean loss, in this step, float64 [G]."""
    shares: Tensor
    """Part of each group in the step's gradient: its projection on it over the gradient's norm, float64 [G]; they sum
    to 1, and that of a group which the step moves against is negative."""
    blocks: Tensor
    """Mean cosine between the groups in each block, in this step, float64 [blocks]."""


class ConflictMatrix:
    """Turns sketches into cosines and keeps their running means.

    A mean is taken over the measurements in which a pair was seen, so a group that comes rarely keeps its own.

    Args:
        groups: G.
        smoothing: decay at each measurement.
        device: of the sketches.
    """

    def __init__(self, groups: int, smoothing: float, device: torch.device) -> None:
        self._smoothing = smoothing
        self._sums = torch.zeros(2, groups, groups, dtype=torch.float64, device=device)

    def update(self, sketch: Sketch, tokens: float) -> ConflictReport:
        """Take in a measurement.

        Args:
            sketch: of all processes.
            tokens: that the loss of the step is a mean over.
        """
        parts = sketch.parts.double()
        grams = parts @ parts.transpose(1, 2)
        whole, per_block = grams.sum(dim=0), between(grams)
        cosines = between(whole[None])[0]
        first, second = whole[::2, ::2].diagonal(), whole[1::2, 1::2].diagonal()
        across = whole[::2, 1::2].diagonal()
        cosines.diagonal().copy_(_over(across, (first * second).sqrt()))

        seen = cosines.isfinite()
        pair = torch.stack((cosines.nan_to_num(), seen.double()))
        self._sums = torch.where(seen, self._sums * self._smoothing + pair, self._sums)

        groups = pooled(whole[None])[0]
        counts = sketch.tokens.view(-1, 2).sum(dim=1)
        off = per_block.masked_fill(torch.eye(len(groups), dtype=torch.bool, device=groups.device), float("nan"))
        return ConflictReport(
            cosines=_over(self._sums[0], self._sums[1]),
            norms=_over(groups.diagonal().clamp(min=0).sqrt() * tokens, counts),
            shares=_over(groups.sum(dim=1), groups.sum()),
            blocks=off.flatten(1).nanmean(dim=1),
        )

    def state(self) -> dict[str, Tensor]:
        """Tensors for the checkpoint."""
        return {"cosines": self._sums}

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint."""
        self._sums = tensors["cosines"].to(self._sums.device)


def pooled(grams: Tensor) -> Tensor:
    """Inner products between groups, [n, G, G], from those between their halves, [n, 2 G, 2 G]."""
    count, size, _ = grams.shape
    return grams.view(count, size // 2, 2, size // 2, 2).sum(dim=(2, 4))


def between(grams: Tensor) -> Tensor:
    """Cosines between groups, [n, G, G]; not a number for a group without a gradient.

    Args:
        grams: inner products between the halves of the groups, [n, 2 G, 2 G].
    """
    groups = pooled(grams)
    norms = groups.diagonal(dim1=1, dim2=2).clamp(min=0).sqrt()
    return _over(groups, norms[:, :, None] * norms[:, None, :])


def _over(part: Tensor, whole: Tensor) -> Tensor:
    """The quotient, or not a number where there is nothing to divide by."""
    return torch.where(whole != 0, part / whole, float("nan"))
