"""The gates in the order in which they are asked: the most telling first."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import numpy as np

from pipeline.gates.features import SIZE, Features
from pipeline.gates.words import Floats

LENGTH_SPREAD: Final = 0.095
"""Standard deviation of the logarithm of the ratio of lengths for long sentences, as in NTREX-128 (120 languages)."""
LENGTH_NOISE: Final = 1.15
"""What short ones add to its variance, divided by their characters: as in Gale and Church 1993
(https://aclanthology.org/J93-1004), where the variance of a translation's length grows with the length."""
SHORTER: Final = -1.0
"""Standard deviations below the usual length from which on a lost final mark tells of a lost end."""


class Rule(NamedTuple):
    """One gate."""

    name: str
    """Field of ``GateConfig``, key of a threshold."""
    feature: str
    side: Literal["min", "max"]
    reason: str


LENGTH: Final = "max_length_deviation"
END: Final = "max_truncated"
RULES: Final = (
    Rule("min_script", "script", "min", "wrong_script"),
    Rule("min_language", "language", "min", "wrong_language"),
    Rule("max_repetition", "repetition", "max", "repetition"),
    Rule("max_copy_rate", "copy_rate", "max", "copied"),
    Rule("min_distance", "distance", "min", "too_close"),
    Rule("max_distance", "distance", "max", "too_far"),
    Rule(END, "truncated", "max", "truncated"),
    Rule(LENGTH, "length_ratio", "max", "too_long"),
    Rule("min_numbers", "numbers", "min", "numbers"),
    Rule("min_round_trip", "round_trip_chrf", "min", "round_trip"),
    Rule("min_round_trip_margin", "round_trip_margin", "min", "other_content"),
    Rule("min_agreement", "agreement", "min", "disagrees"),
    Rule("min_score", "score", "min", "low_score"),
)
EMPTY: Final = "empty"
TOO_SHORT: Final = "too_short"
REASONS: Final = (EMPTY, TOO_SHORT, *(rule.reason for rule in RULES))
"""Every reason for which a sentence goes."""


def length_deviation(features: Features, expected: float) -> Floats:
    """[n] signed standard deviations of the logarithm of the ratio of lengths from that of the expected ratio."""
    spread = np.sqrt(LENGTH_SPREAD**2 + LENGTH_NOISE / np.maximum(features[SIZE], 1.0))
    return np.log(np.maximum(features["length_ratio"], 1e-6) / expected) / spread


def values(rule: Rule, features: Features, expected: float) -> Floats:
    """[n] what a gate compares with its threshold.

    Of lengths that is the distance from the usual ratio, on either side; a lost final mark counts only where the output
    is shorter than usual.
    """
    if rule.name == LENGTH:
        return np.abs(length_deviation(features, expected))
    found = features[rule.feature]
    if rule.name == END:
        long = length_deviation(features, expected) >= SHORTER
        return np.where((found < 1) & long, 0.0, found)
    return found
