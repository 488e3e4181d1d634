"""The limits of each language and how they came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from corpus.manifest import Snapshot
from pipeline.quality.config import FilterConfig
from pipeline.quality.rules import RULES

Origin = Literal["by hand", "derived", "bounded", "default", "rare", "unknown"]


@dataclass(frozen=True)
class Threshold:
    """One limit of one language."""

    lang: str
    limit: str
    measure: str
    side: str
    """``min`` or ``max``."""
    value: float
    origin: Origin
    """``derived`` from the language's documents; ``bounded``: derived, but moved to the strictest or loosest value
    the recipe allows; ``default``: too few documents to tell; ``by hand``: from the recipe; ``rare``: raised because
    the language has next to no documents; ``unknown``: the snapshot does not hold the recipe."""
    rejected: int
    """Documents of the language that were rejected for the limit's reason; several limits may share one."""
    documents: int
    """Documents of the language, kept or rejected."""


def thresholds(snapshot: Snapshot, lang: str | None = None, limit: str | None = None) -> list[Threshold]:
    """The limits of a snapshot by language and in the order in which the rules are tried.

    Args:
        snapshot: of the corpus.
        lang: only of this language.
        limit: only this one, by name.
    """
    config = filter_config(snapshot.recipe)
    totals = snapshot.ledger.language_totals()
    found = []
    for tag in sorted(snapshot.thresholds):
        if lang not in (None, tag):
            continue
        for rule in RULES:
            value = snapshot.thresholds[tag].get(rule.name)
            if value is None or limit not in (None, rule.name):
                continue
            rejected = snapshot.ledger.rejected.get(f"{rule.stage}/{rule.reason}", {}).get(tag, 0)
            origin = origin_of(rule.name, tag, value, sum(totals.get(tag, (0, 0))), config)
            found.append(
                Threshold(
                    tag, rule.name, rule.feature, rule.side, value, origin, rejected, sum(totals.get(tag, (0, 0)))
                )
            )
    return found


def filter_config(recipe: Mapping[str, Any]) -> FilterConfig | None:
    """The filter's settings as the recipe of a snapshot has them; None where it has none that this version reads."""
    section = (recipe.get("prepare") or {}).get("filter")
    if not isinstance(section, dict):
        return None
    try:
        return FilterConfig.model_validate(section)
    except ValidationError:
        return None


def origin_of(name: str, lang: str, value: float, documents: int, config: FilterConfig | None) -> Origin:
    """How a limit came about.

    The snapshot holds the value and the recipe, not the way: it is told from where the value lies.
    """
    if config is None:
        return "unknown"
    limit = config.limit(name)
    if name in config.languages.get(lang, {}):
        return "by hand"
    if name == "min_lang_score" and documents < config.rare_documents:
        return "rare"
    if documents < config.min_documents:
        return "default"
    if value in (limit.strictest, limit.loosest):
        return "bounded"
    return "derived"
