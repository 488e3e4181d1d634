"""From measures to reasons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.gates.config import GateConfig
from pipeline.gates.features import SIZE, Features
from pipeline.gates.rules import EMPTY, LENGTH, RULES, TOO_SHORT, values
from pipeline.gates.thresholds import Thresholds


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
    usual = thresholds.length_ratio
    reasons: list[str | None] = [None] * len(features)
    details: list[str | None] = [None] * len(features)
    ratio = features["length_ratio"]
    for row in np.flatnonzero(ratio * (features[SIZE] + 1) <= 1).tolist():
        reasons[row], details[row] = EMPTY, "no text"
    for rule in RULES:
        limit = thresholds.limits.get(rule.name)
        if limit is None or config.bound(rule.name) is None:
            continue
        found = values(rule, features, usual)
        for row in np.flatnonzero(found < limit if rule.side == "min" else found > limit).tolist():
            if reasons[row] is not None:
                continue
            compared = f"{found[row]:.4g} {'<' if rule.side == 'min' else '>'} {rule.name} {limit:.4g}"
            if rule.name == LENGTH:
                reasons[row] = TOO_SHORT if ratio[row] < usual else rule.reason
                compared = f"{compared}, usual length_ratio {usual:.4g}"
            else:
                reasons[row] = rule.reason
                compared = f"{rule.feature} {compared}"
            scores = ", ".join(f"{name} {value:.4g}" for name, value in features.row(row).items())
            details[row] = f"{compared}; {scores}"
    return Decisions(reasons, details)
