"""A snapshot that goes on with an earlier one: its files and counts and the new ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, ThresholdFacts
from pipeline.quality.rules import STOP_RULE
from pipeline.quality.thresholds import Derived, Thresholds, stop_words_of

CARRIED = ("text", "rejected", "unreadable", "index", "boilerplate", "scores")
"""Kinds of files that a snapshot hands on. Tokens are not among them: they would not cover the new text."""
_UNCERTAIN = ("few_documents", "few_sources")
"""Origins of limits that more documents may still change."""


@dataclass(frozen=True)
class EarlierLimits:
    """The limits of the snapshot that a run goes on with."""

    limits: Mapping[str, Mapping[str, float]]
    facts: Mapping[str, ThresholdFacts]
    documents: Mapping[str, int]
    """Documents kept of each language."""

    @classmethod
    def of(cls, base: Snapshot) -> EarlierLimits:
        """Those of a snapshot."""
        return cls(base.thresholds, base.threshold_facts, base.ledger.kept)

    def carry(self, now: Derived) -> Derived:
        """The limits of the run, from its own documents' and these; see ``carried_limits``."""
        limits, facts = carried_limits(self.limits, self.facts, now.thresholds, now.facts)
        return Derived(Thresholds(limits, stop_words_of(facts)), facts)


def carried_files(base: Snapshot) -> list[ShardFile]:
    """Files of an earlier snapshot that the next one has as well."""
    return [file for file in base.files if file.kind in CARRIED]


def go_on(base: Snapshot, new: Snapshot, copies: Mapping[tuple[str, bool], int]) -> Snapshot:
    """The snapshot of a run, together with the one that it goes on with.

    Args:
        base: the earlier snapshot.
        new: of what this run wrote, with limits and mixtures that are over both already.
        copies: copies of earlier documents found by this run, by language and whether the document is held out.
    """
    rejected = {lang: lost for lang, (_, lost) in new.ledger.language_totals().items()}
    return new.model_copy(
        update={
            "goes_on_with": base.number,
            "languages": cumulative_evidence(base.languages, new.languages, copies, rejected),
            "ledger": Ledger.sum([base.ledger, new.ledger]),
            "added": new.ledger,
            "files": sorted([*carried_files(base), *new.files], key=lambda file: file.path),
        }
    )


def cumulative_evidence(
    base: Mapping[str, LanguageEvidence],
    new: Mapping[str, LanguageEvidence],
    copies: Mapping[tuple[str, bool], int],
    rejected: Mapping[str, int],
) -> dict[str, LanguageEvidence]:
    """Evidence over all runs, in the order of languages; what is known of tokens is left out.

    Args:
        base: of the earlier snapshot.
        new: of what this run wrote.
        copies: copies of earlier documents found by this run, by language and whether the document is held out.
        rejected: records of each language that this run rejected, also of languages of which it kept nothing.
    """
    found = {}
    for lang in sorted({*base, *new}):
        one, two = base.get(lang, LanguageEvidence()), new.get(lang, LanguageEvidence())
        total = Counter(counts(one))
        total.update(counts(two))
        total["copies"] += copies.get((lang, False), 0)
        total["rejected"] = one.rejected + rejected.get(lang, 0)
        found[lang] = LanguageEvidence.model_validate(dict(total))
    return found


def counts(evidence: LanguageEvidence) -> dict[str, int]:
    """The plain numbers of a language."""
    return {name: value for name, value in evidence.model_dump().items() if isinstance(value, int)}


def carried_limits(
    base_limits: Mapping[str, Mapping[str, float]],
    base_facts: Mapping[str, ThresholdFacts],
    limits: Mapping[str, Mapping[str, float]],
    facts: Mapping[str, ThresholdFacts],
) -> tuple[dict[str, dict[str, float]], dict[str, ThresholdFacts]]:
    """The limits of a run that goes on with an earlier one.

    A limit that the earlier snapshot derived stays, so that a document is judged alike whichever day it comes. One
    that it could not derive, for lack of documents or sources, is what this run's documents say. Limits set by hand
    now win, and one that is switched off now is off. Stop words go with the limit that needs them.

    Args:
        base_limits: of the earlier snapshot, by language.
        base_facts: where they came from.
        limits: derived from this run's documents alone.
        facts: where those come from.

    Returns:
        limits and facts of every language of either, in order.
    """
    all_limits: dict[str, dict[str, float]] = {}
    all_facts: dict[str, ThresholdFacts] = {}
    for lang in sorted({*base_limits, *limits}):
        if lang not in base_limits or lang not in base_facts:
            all_limits[lang] = dict(limits.get(lang, base_limits.get(lang, {})))
            known = facts.get(lang, base_facts.get(lang))
            if known is not None:
                all_facts[lang] = known
            continue
        before = base_facts[lang]
        now = facts.get(lang)
        wanted = limits.get(lang, base_limits[lang])
        chosen = {name: limit for name, limit in base_limits[lang].items() if name in wanted}
        origins, measured, words = dict(before.origins), dict(before.measured), before.stop_words
        for name, limit in limits.get(lang, {}).items():
            origin = None if now is None else now.origins.get(name)
            if now is None or origin is None or not replaces(origin, before.origins.get(name)):
                continue
            chosen[name], origins[name] = limit, origin
            if name in now.measured:
                measured[name] = now.measured[name]
            if name == STOP_RULE.name:
                words = now.stop_words
        all_limits[lang] = chosen
        all_facts[lang] = before.model_copy(update={"origins": origins, "measured": measured, "stop_words": words})
    return all_limits, all_facts


def replaces(now: str, before: str | None) -> bool:
    """Whether a limit of this run takes the place of the earlier one, by where the two come from."""
    if now == "by_hand" or before is None or before == "rare_language":
        return True  # a language is told to be rare from all its documents, earlier ones included
    return before in _UNCERTAIN and now not in (*_UNCERTAIN, "rare_language")
