"""The limits of each language and how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from corpus.manifest import LimitOrigin, Snapshot
from corpus.schema import NO_LANGUAGE, UNDETERMINED
from pipeline.quality.rules import RARE_RULE, RULES, STOP_RULE, Rule

ALL_RULES: Final[tuple[Rule, ...]] = (RULES[0], RARE_RULE, *RULES[1:], STOP_RULE)
"""All rules with a limit, in the order in which they are tried."""
MEANINGS: Final[dict[LimitOrigin, str]] = {
    "derived": "from the language's own documents",
    "strictest": "they asked for a tighter limit than the recipe allows",
    "loosest": "they asked for a wider limit than the recipe allows",
    "few_documents": "the default, for want of documents",
    "few_sources": "too few sources to be trusted: the default or the language's own limit, whichever rejects less",
    "by_hand": "in the recipe",
    "rare_language": "asked of a language of a handful of documents",
}
"""What the origins of limits mean."""


@dataclass(frozen=True)
class Threshold:
    """One limit of one language."""

    lang: str
    limit: str
    measure: str
    side: str
    """``min`` or ``max``."""
    value: float
    origin: LimitOrigin | None
    """See ``MEANINGS``; None where the snapshot does not say."""
    measured: float | None
    """What the language's documents alone would set; None where they are too few or the snapshot does not say."""
    documents: int | None
    """Documents of the language when the limits were set."""
    sources: float | None
    """Effective number of sources they come from."""
    rejected: int
    """Documents of the language that were rejected for the limit's reason; several limits may share one."""


def thresholds(snapshot: Snapshot, lang: str | None = None, limit: str | None = None) -> list[Threshold]:
    """The limits of a snapshot by language and in the order in which the rules are tried.

    Args:
        snapshot: of the corpus.
        lang: only of this language; None takes all, and leaves out what is no language.
        limit: only this one, by name.
    """
    found = []
    for tag in sorted(snapshot.thresholds):
        if lang not in (None, tag) or (lang is None and tag in (UNDETERMINED, NO_LANGUAGE)):
            continue
        facts = snapshot.threshold_facts.get(tag)
        for rule in ALL_RULES:
            value = snapshot.thresholds[tag].get(rule.name)
            if value is None or limit not in (None, rule.name):
                continue
            found.append(
                Threshold(
                    lang=tag,
                    limit=rule.name,
                    measure=rule.feature,
                    side=rule.side,
                    value=value,
                    origin=facts.origins.get(rule.name) if facts else None,
                    measured=facts.measured.get(rule.name) if facts else None,
                    documents=facts.documents if facts else None,
                    sources=facts.sources if facts else None,
                    rejected=snapshot.ledger.rejected.get(f"{rule.stage}/{rule.reason}", {}).get(tag, 0),
                )
            )
    return found
