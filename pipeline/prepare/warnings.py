"""What a user should look at, loud at the end of the run and at the top of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from corpus.ledger import Ledger
from corpus.manifest import Snapshot, ThresholdFacts
from pipeline.config import PrepareConfig
from pipeline.quality.concerns import concerns

_MANY_REPEATED_IDS: Final = 0.01
"""Share of records from which on rejected repeated ids are more likely to be no ids at all."""
_MOST_NAMED: Final = 10
"""Files that could not be read and are named."""


def warnings(
    ledger: Ledger, unusable: Mapping[str, str], facts: Mapping[str, ThresholdFacts], config: PrepareConfig
) -> list[str]:
    """What the ledger and the thresholds of a run give cause to say.

    Args:
        ledger: of the run.
        unusable: files that could not be read at all, and why.
        facts: where the thresholds come from.
        config: settings of all stages.
    """
    found = damage(ledger, unusable)
    for reason, count in ledger.by_reason().items():
        if count > config.warn_rejected_share * ledger.read:
            found.append(f"{reason} rejected {count:,} of {ledger.read:,} records ({count / ledger.read:.0%})")
    repeated = ledger.by_reason().get("deduplicate/repeated_id", 0)
    if repeated > _MANY_REPEATED_IDS * ledger.read:
        found.append(
            f"{repeated:,} records were rejected for an id that their source used before: if its ids do not tell "
            "records apart, set `prepare.deduplicate.repeated_id: keep` or the input's `fields: {id: null}`"
        )
    found += concerns(facts, ledger.rejected, config.filter)
    if ledger.kept_total == 0:
        flag = "--rejected" if ledger.rejected_total else "--unreadable"
        found.append(f"no record was kept: look at the reasons with `evenglot inspect CORPUS {flag}`")
    return found


def synthetic_left_behind(before: Snapshot) -> list[str]:
    """That the synthetic text of the snapshot before is not in the new one; it rests on natural text that changed."""
    made = sum(known.synthetic_documents for known in before.languages.values())
    if not made:
        return []
    return [
        f"the {made:,} synthetic documents of snapshot {before.number} are not in this one: make them again with "
        "`evenglot augment`, or set `augment.enabled` for it to be done with every `prepare`"
    ]


def damage(ledger: Ledger, unusable: Mapping[str, str]) -> list[str]:
    """Files that could not be read at all, by name, and how many parts of others."""
    found = [f"{place} was not read: {problem}" for place, problem in [*unusable.items()][:_MOST_NAMED]]
    if len(unusable) > _MOST_NAMED:
        found.append(f"{len(unusable) - _MOST_NAMED:,} more files were not read")
    parts = ledger.unreadable.get("corrupt_file", 0) - len(unusable)
    if parts:
        found.append(
            f"damage in {parts:,} places of files hid what followed: look at them with "
            "`evenglot inspect CORPUS --unreadable`"
        )
    return found
