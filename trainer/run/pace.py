"""How fast training goes, evaluations left out, and how much memory it took."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from trainer.model.flops import Cost

MEASURED = ("tokens_per_second", "flops_per_second", "mfu", "peak_memory_bytes")
"""Figures of a ``train`` line that differ between two runs that are otherwise the same."""


class Pace:
    """A clock that stands still while it is paused.

    Args:
        cost: of the model; None counts no operations.
        peak: operations a second that all devices together can do; None when it is not known.
        device: whose memory is measured.
        before: tokens and predictions that the first lap counts though another run of this program did them.
    """

    def __init__(
        self, cost: Cost | None, peak: float | None, device: torch.device, before: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        self.started = self._mark = time.monotonic()
        self._cost = cost
        self._peak = peak
        self._device = device
        self._before = before

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The time of the block does not count as training."""
        begun = time.monotonic()
        yield
        self._mark += time.monotonic() - begun

    def lap(self, tokens: float, predictions: float) -> dict[str, float | None]:
        """The :data:`MEASURED` figures since the last lap; begins the next lap.

        Args:
            tokens: read in this lap, by all processes.
            predictions: of them, predicted.

        Returns:
            ``mfu``, the share of the peak, only where the peak is known.
        """
        now = time.monotonic()
        seconds, self._mark = now - self._mark, now
        tokens, predictions = tokens - self._before[0], predictions - self._before[1]
        self._before = (0.0, 0.0)
        found: dict[str, float | None] = {"tokens_per_second": tokens / seconds}
        if self._cost is not None:
            flops = self._cost.training(tokens, predictions) / seconds
            found["flops_per_second"] = flops
            if self._peak is not None:
                found["mfu"] = flops / self._peak
        found["peak_memory_bytes"] = peak_memory(self._device)
        return found

    def seconds(self) -> float:
        """Since the start, pauses counted."""
        return time.monotonic() - self.started


def peak_memory(device: torch.device) -> int:
    """Bytes that were in use at most so far: of the GPU by this process's tensors, or of this process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
