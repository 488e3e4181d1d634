"""The limits of each language, from the histograms of its own documents.

As in FineWeb-2 (Penedo et al. 2025, https://arxiv.org/abs/2506.20920) every language gets its own; unlike
there, the spread is taken from quantiles, which the junk that the limit is to catch cannot move, and no
language needs a configuration of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.quality.config import FilterConfig
from pipeline.quality.histograms import LOGARITHMIC, Histogram, documents, quantile
from pipeline.quality.rules import RULES, Rule

Thresholds = dict[str, dict[str, float]]
"""By language tag and rule name."""


def derive(histograms: Mapping[str, Histogram], config: FilterConfig) -> Thresholds:
    """All limits of all languages met.

    Args:
        histograms: merged over the whole corpus.
        config: bounds, and limits fixed by hand, which win.
    """
    return {tag: _language(tag, histogram, config) for tag, histogram in sorted(histograms.items())}


def defaults(tag: str, config: FilterConfig) -> dict[str, float]:
    """The limits of a language of which nothing is known."""
    return {rule.name: config.limit(rule.name).default for rule in RULES} | config.languages.get(tag, {})


def _language(tag: str, histogram: Histogram, config: FilterConfig) -> dict[str, float]:
    limits = defaults(tag, config)
    by_hand = config.languages.get(tag, {})
    for rule in RULES:
        if rule.name not in by_hand and documents(histogram, rule.feature) >= config.min_documents:
            limits[rule.name] = _limit(rule, histogram, config)
    if "min_lang_score" not in by_hand and documents(histogram, "lang_score") < config.rare_documents:
        limits["min_lang_score"] = max(limits["min_lang_score"], config.rare_score)
    return limits


def _limit(rule: Rule, histogram: Histogram, config: FilterConfig) -> float:
    """Median plus the spread on the side of the limit, within the bounds; counts spread by factors."""
    limit = config.limit(rule.name)
    middle = quantile(histogram, rule.feature, 0.5)
    edge = quantile(histogram, rule.feature, 0.16 if rule.side == "min" else 0.84)
    if rule.feature in LOGARITHMIC:
        value = middle * (edge / middle) ** limit.sigmas
    else:
        value = middle + limit.sigmas * (edge - middle)
    low, high = sorted((limit.strictest, limit.loosest))
    return round(float(min(max(value, low), high)), 6)
