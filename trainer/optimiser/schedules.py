"""Shares of a full value over a run: learning rate and regulariser strength."""

from __future__ import annotations

import math

from trainer.config import ScheduleConfig, StrengthScheduleConfig


def learning_rate_share(config: ScheduleConfig, step: int, total: int) -> float:
    """Share of the peak learning rate used for one step.

    Args:
        config: shape of the schedule.
        step: 0 for the first step.
        total: steps of the whole run.

    Returns:
        Above 0 in the warmup's first step (a rate of zero would waste it), 1 at the peak.
    """
    rising = _warmup(config.warmup, step, total)
    if rising < 1:
        return rising
    if config.kind == "constant":
        start = total - round(config.decay * total)
        return 1.0 if step < start else _between(1.0, config.final, _progress(step, start, total))
    progress = _progress(step, round(config.warmup * total), total)
    return _between(1.0, config.final, _cosine(progress) if config.kind == "cosine" else progress)


def strength_share(config: StrengthScheduleConfig, step: int, total: int) -> float:
    """Share of a regulariser's full strength used for one step; arguments as for the learning rate."""
    first, last = round(config.start * total), round(config.end * total)
    if not first <= step < last:
        return 0.0
    step, total = step - first, last - first
    rising = _warmup(config.warmup, step, total)
    if rising < 1 or config.kind == "constant":
        return rising
    progress = _progress(step, round(config.warmup * total), total)
    return _between(1.0, config.final, _cosine(progress) if config.kind == "cosine" else progress)


def linear(start: float, end: float, step: int, total: int) -> float:
    """The value on the straight line from the first step's to the last step's."""
    return _between(start, end, _progress(step, 0, total))


def _warmup(share: float, step: int, total: int) -> float:
    steps = round(share * total)
    return 1.0 if step >= steps else (step + 1) / (steps + 1)


def _progress(step: int, start: int, total: int) -> float:
    """0 at the starting step, 1 at the last step of the run."""
    return min(1.0, max(0.0, (step - start) / max(1, total - 1 - start)))


def _cosine(progress: float) -> float:
    return (1 - math.cos(math.pi * progress)) / 2


def _between(start: float, end: float, progress: float) -> float:
    return start + (end - start) * progress
