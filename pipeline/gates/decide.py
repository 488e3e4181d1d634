"""From measures to reasons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.gates.config import GateConfig
from pipeline.gates.features import SIZE, Features
from pipeline.gates.rules import EMPTY, LENGTH, RULES, TOO_SHORT, TRUNCATED, length_deviation, values
from pipeline.gates.thresholds import Thresholds
from pipeline.gates.words import Bools

_LESS = -1.0
"""Standard deviations below the usual length from which on a lost final mark tells of a lost end."""


class Decisions(NamedTuple):
    """What becomes of n sentences."""

    reasons: list[str | None]
    """None for a sentence that passes."""
    details: list[str | None]
    """Of those that do not: the number that decided, then all others."""


def decide(features: Features, thresholds: Thresholds, config: GateConfig) -> Decisions:
    """Judge n sentences; the first gate that fails gives the reason.

    A feature that was not measured fails no gate.

    Args:
        features: of the sentences.
        thresholds: of their pair.
        config: which gates are on.
    """
    count = len(features)
    reasons: list[str | None] = [None] * count
    deciding: list[str] = [""] * count

    def fail(broken: Bools, reason: str, text: list[str]) -> None:
        for row in np.flatnonzero(broken).tolist():
            if reasons[row] is None:
                reasons[row], deciding[row] = reason, text[row]

    ratio = features["length_ratio"]
    fail(ratio * (features[SIZE] + 1) <= 1, EMPTY, ["no text"] * count)
    deviation = length_deviation(features, thresholds.length_ratio)
    for rule in RULES:
        limit = thresholds.limits.get(rule.name)
        if rule.name == LENGTH:
            usual = [f"length_ratio {one:.4g}, usual {thresholds.length_ratio:.4g}" for one in ratio.tolist()]
            if config.reject_truncated:
                ended = features["truncated"]
                fail(ended == 1, TRUNCATED, [f"limit of the length reached, {text}" for text in usual])
                fail((ended > 0) & (deviation < _LESS), TRUNCATED, [f"no final mark, {text}" for text in usual])
            if limit is not None:
                said = [
                    f"{text}: {one:.4g}, limit {limit:.4g}" for text, one in zip(usual, deviation.tolist(), strict=True)
                ]
                fail(deviation < -limit, TOO_SHORT, said)
                fail(deviation > limit, rule.reason, said)
        elif limit is not None and config.bound(rule.name) is not None:
            found = values(rule, features, thresholds.length_ratio)
            sign = "<" if rule.side == "min" else ">"
            broken = found < limit if rule.side == "min" else found > limit
            fail(
                broken,
                rule.reason,
                [f"{rule.feature} {one:.4g} {sign} {rule.name} {limit:.4g}" for one in found.tolist()],
            )
    details = [None if reason is None else _detail(features, row, deciding[row]) for row, reason in enumerate(reasons)]
    return Decisions(reasons, details)


def _detail(features: Features, row: int, deciding: str) -> str:
    scores = ", ".join(f"{name} {value:.4g}" for name, value in features.row(row).items())
    return f"{deciding}; {scores}" if scores else deciding
