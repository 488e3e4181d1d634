"""What a user should know of the limits: languages of too few sources, languages too rare to be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from corpus.manifest import ThresholdFacts
from corpus.schema import NO_LANGUAGE, UNDETERMINED
from pipeline.quality.config import FilterConfig
from pipeline.quality.rules import RARE_RULE

_NAMED = 8
"""Languages named in a sentence."""


def concerns(
    facts: Mapping[str, ThresholdFacts], rejected: Mapping[str, Mapping[str, int]], config: FilterConfig
) -> list[str]:
    """Sentences for the snapshot's warnings; none when there is nothing to say.

    Args:
        facts: what the limits of each language rest on.
        rejected: ``stage/reason`` -> language -> records, as in the ledger.
        config: the filter's settings.
    """
    if not config.enabled:
        return []
    found = []
    uniform = [
        (lang, of.documents)
        for lang, of in facts.items()
        if "few_sources" in of.origins.values() and lang not in (UNDETERMINED, NO_LANGUAGE)
    ]
    if uniform:
        found.append(
            f"{_languages(len(uniform))} of fewer than {config.min_sources:g} effective sources ({_largest(uniform)}): "
            "limits derived from their own documents hold only where they reject less than the defaults"
        )
    rare = rejected.get(f"{RARE_RULE.stage}/{RARE_RULE.reason}", {})
    if rare:
        found.append(
            f"{sum(rare.values()):,} documents of {_languages(len(rare))} with hardly any "
            f"({_largest(list(rare.items()))}) were rejected as {RARE_RULE.reason}, their probability being under "
            f"{config.rare_score:g}: look at them with `evenglot inspect CORPUS --rejected {RARE_RULE.reason}`; "
            "to let a language in, set `prepare.filter.languages: {TAG: {min_lang_score: 0.25}}`"
        )
    return found


def _languages(count: int) -> str:
    return "1 language" if count == 1 else f"{count:,} languages"


def _largest(counts: Sequence[tuple[str, int]]) -> str:
    """The languages of most documents by name, the others by number."""
    ordered = [lang for lang, _ in sorted(counts, key=lambda item: (-item[1], item[0]))]
    more = len(ordered) - _NAMED
    return ", ".join(ordered[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
