"""The limits of each language, from its own documents, and where each limit comes from.

As in FineWeb-2 (Penedo et al. 2025, https://arxiv.org/abs/2506.20920) every language gets its own; unlike
there, the spread is taken from quantiles, which the junk that the limit is to catch cannot move, no language needs
a configuration of its own, and limits that few sources would set are not tightened by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from corpus.manifest import LimitOrigin, ThresholdFacts
from pipeline.quality.config import FilterConfig, Limit
from pipeline.quality.histograms import LOGARITHMIC, Histogram, documents, quantile
from pipeline.quality.rules import RARE_RULE, RULES, STOP_RULE, Rule
from pipeline.quality.sources import effective
from pipeline.quality.stop_words import stop_words
from pipeline.quality.survey import Survey


class Thresholds(dict[str, dict[str, float]]):
    """Limits by language tag and rule name, with the stop words that one of the rules needs."""

    def __init__(
        self, limits: Mapping[str, dict[str, float]], stop_words: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(limits)
        self.stop_words = dict(stop_words or {})


def stop_words_of(facts: Mapping[str, ThresholdFacts]) -> dict[str, list[str]]:
    """The lists of the languages that have one."""
    return {tag: found.stop_words for tag, found in facts.items() if found.stop_words}


class Derived(NamedTuple):
    """Limits and what they rest on."""

    thresholds: Thresholds
    facts: dict[str, ThresholdFacts]
    """By language tag."""


def derive(surveys: Mapping[str, Survey], config: FilterConfig, known: Mapping[str, int] | None = None) -> Derived:
    """All limits of all languages met.

    Args:
        surveys: merged over the whole corpus.
        config: bounds, and limits fixed by hand, which win.
        known: documents of each language that earlier snapshots hold; they count when it is told whether a
            language is rare, and nowhere else.
    """
    total = sum(found.documents for found in surveys.values())
    found = {tag: _language(tag, of, total, config, (known or {}).get(tag, 0)) for tag, of in sorted(surveys.items())}
    facts = {tag: facts for tag, (_, facts) in found.items()}
    return Derived(Thresholds({tag: limits for tag, (limits, _) in found.items()}, stop_words_of(facts)), facts)


def defaults(tag: str, config: FilterConfig) -> dict[str, float]:
    """The limits of a language of which nothing is known."""
    limits = {rule.name: limit.default for rule in RULES if (limit := config.limit(rule.name)) is not None}
    return limits | config.languages.get(tag, {})


def _language(
    tag: str, survey: Survey, total: int, config: FilterConfig, known: int
) -> tuple[dict[str, float], ThresholdFacts]:
    limits = defaults(tag, config)
    by_hand = config.languages.get(tag, {})
    diversity = effective(survey.sources)
    origins: dict[str, LimitOrigin] = {}
    measured: dict[str, float] = {}
    for rule in RULES:
        limit = config.limit(rule.name)
        if rule.name in by_hand:
            origins[rule.name] = "by_hand"
        elif limit is None:
            continue
        elif documents(survey.histogram, rule.feature) < config.min_documents:
            origins[rule.name] = "few_documents"
        else:
            measured[rule.name] = _measured(rule, survey.histogram, limit)
            limits[rule.name], origins[rule.name] = _bounded(rule, measured[rule.name], limit)
            if diversity < config.min_sources:
                limits[rule.name] = _looser(rule, limits[rule.name], limit.default)
                origins[rule.name] = "few_sources"
    count = survey.documents + known
    if "min_lang_score" not in by_hand and count < min(config.rare_documents, config.rare_share * total):
        limits[RARE_RULE.name], origins[RARE_RULE.name] = config.rare_score, "rare_language"
    listed = _stop_words(tag, survey, config)
    if listed:
        limits[STOP_RULE.name] = config.stop_words.min_share
        origins[STOP_RULE.name] = "by_hand" if tag in config.stop_words.words else "derived"
    return limits, ThresholdFacts(
        documents=survey.documents,
        sources=round(diversity, 1),
        origins=origins,
        measured=measured,
        stop_words=listed,
    )


def _stop_words(tag: str, survey: Survey, config: FilterConfig) -> list[str]:
    """The language's list: the recipe's, else that of its own documents."""
    if not config.stop_words.enabled or survey.words is None:
        return []
    by_hand = config.stop_words.words.get(tag)
    return stop_words(survey.words, config.stop_words) if by_hand is None else by_hand


def _measured(rule: Rule, histogram: Histogram, limit: Limit) -> float:
    """Median plus the spread on the side of the limit; counts spread by factors."""
    sigmas = limit.sigmas
    middle = quantile(histogram, rule.feature, 0.5)
    edge = quantile(histogram, rule.feature, 0.16 if rule.side == "min" else 0.84)
    factor = rule.feature in LOGARITHMIC
    return round(float(middle * (edge / middle) ** sigmas if factor else middle + sigmas * (edge - middle)), 6)


def _bounded(rule: Rule, value: float, limit: Limit) -> tuple[float, LimitOrigin]:
    """The value within the rule's bounds, and which of them it met."""
    if _looser(rule, value, limit.strictest) != value:
        return limit.strictest, "strictest"
    if _looser(rule, value, limit.loosest) == value != limit.loosest:
        return limit.loosest, "loosest"
    return value, "derived"


def _looser(rule: Rule, one: float, other: float) -> float:
    """The limit of the two that rejects less."""
    return min(one, other) if rule.side == "min" else max(one, other)
