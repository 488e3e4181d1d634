"""Thresholds of each pair from a natural sample, and where each comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pipeline.gates.config import Bound, GateConfig
from pipeline.gates.features import Features, concat
from pipeline.gates.rules import RULES, Rule, values
from pipeline.gates.words import Floats

DERIVED: Final = "derived"
POOLED: Final = "pooled"
DEFAULT: Final = "default"
_FEWEST: Final = 20
"""Sentences from which on a sample says something: the usual ratio of lengths, and that a limit is too tight."""

_RATIOS: Final = (0.65, 1.6)
"""Usual ratios of lengths lie between: those of 122 languages to English are 0.8 to 1.45. Beyond, the sample's model
leaves text out or adds some."""


@dataclass(frozen=True)
class Thresholds:
    """What the sentences of one pair must reach."""

    limits: Mapping[str, float]
    """By gate, as in ``GateConfig``; a gate that is off is missing."""
    origins: Mapping[str, str]
    """By gate: ``derived`` from the pair's own sample, ``pooled`` from that of all pairs, ``strictest`` or ``loosest``
    where the sample asked for one beyond that bound, ``default``."""
    length_ratio: float = 1.0
    """Usual ratio of lengths."""
    sample: int = 0
    """Sentences of the pair's own sample."""

    def as_dict(self) -> dict[str, Any]:
        """For the snapshot and the report."""
        return {
            "limits": {name: round(limit, 6) for name, limit in self.limits.items()},
            "origins": dict(self.origins),
            "length_ratio": round(self.length_ratio, 6),
            "sample": self.sample,
        }


def from_dict(found: Mapping[str, Any]) -> Thresholds:
    """The thresholds that ``as_dict`` wrote."""
    return Thresholds(found["limits"], found["origins"], found["length_ratio"], found["sample"])


def calibrate(sample: Features | None, config: GateConfig, pooled: Features | None = None) -> Thresholds:
    """Thresholds of one pair.

    A threshold is the ``config.quantile`` of what the natural sample has, from the side where bad text is, and never
    outside its bounds. The sample may join natural text of the target language (measured without sources) with
    translations of natural text, as far as each gate can be measured on it.

    Args:
        sample: of the pair; None where there is none.
        config: bounds and quantile.
        pooled: the samples of all pairs, as ``pool`` joins them, for gates of which the pair has too few sentences.
    """
    expected = _expected(sample)
    limits: dict[str, float] = {}
    origins: dict[str, str] = {}
    for rule in RULES:
        bound = config.bound(rule.name)
        if bound is None:
            continue
        quantile = config.quantile if bound.quantile is None else bound.quantile
        own = _measured(rule, sample, expected)
        limit, origin = bound.default, DEFAULT
        if len(own) < config.min_sample:
            others = _measured(rule, pooled, 1.0)
            if len(others) >= config.min_sample:
                limit, origin = _limit(rule, others, bound, quantile, POOLED)
        if len(own) >= min(config.min_sample, _FEWEST):
            asked = _limit(rule, own, bound, quantile, DERIVED)
            looser = asked[0] < limit if rule.side == "min" else asked[0] > limit
            if looser or len(own) >= config.min_sample:
                limit, origin = asked
        limits[rule.name], origins[rule.name] = limit, origin
    return Thresholds(limits, origins, expected, 0 if sample is None else len(sample))


def pool(samples: Sequence[Features]) -> Features:
    """The samples of all pairs as one; each pair's ratios of lengths are divided by its usual one."""
    alike = [
        Features({**sample.columns, "length_ratio": sample["length_ratio"] / _expected(sample)}) for sample in samples
    ]
    return concat(alike)


def _expected(features: Features | None) -> float:
    if features is None:
        return 1.0
    ratios = features["length_ratio"]
    ratios = ratios[~np.isnan(ratios)]
    if len(ratios) < _FEWEST:
        return 1.0
    return min(max(float(np.median(ratios)), _RATIOS[0]), _RATIOS[1])


def _measured(rule: Rule, features: Features | None, expected: float) -> Floats:
    if features is None:
        return np.empty(0)
    found = values(rule, features, expected)
    return found[~np.isnan(found)]


def _limit(rule: Rule, found: Floats, bound: Bound, quantile: float, origin: str) -> tuple[float, str]:
    # A natural value stands on the limit, never between two: so no more than the quantile lies beyond it.
    if rule.side == "min":
        asked = float(np.quantile(found, quantile, method="lower"))
        low, high, names = bound.loosest, bound.strictest, ("loosest", "strictest")
    else:
        asked = float(np.quantile(found, 1 - quantile, method="higher"))
        low, high, names = bound.strictest, bound.loosest, ("strictest", "loosest")
    if asked < low:
        return low, names[0]
    if asked > high:
        return high, names[1]
    return asked, origin
