"""From evidence to the mixtures stored with a snapshot."""

from __future__ import annotations

from collections.abc import Mapping

from corpus.mixtures import proportional, temperature, unimax
from pipeline.balance.config import BalanceConfig


def stored_mixtures(sizes: Mapping[str, int], config: BalanceConfig) -> dict[str, dict[str, float]]:
    """Every named mixture of a corpus.

    Args:
        sizes: training bytes of each language; languages without any are left out.
        config: cap, exponent and budget.

    Returns:
        name -> language -> probability; empty when there is no text at all.
    """
    present = {lang: size for lang, size in sorted(sizes.items()) if size > 0}
    if not present:
        return {}
    budget = None if config.budget is None else config.budget * sum(present.values())
    return {
        "proportional": proportional(present),
        "temperature": temperature(present, config.alpha),
        "unimax": unimax(present, config.epochs, budget),
        "uniform": temperature(present, 0.0),
    }
