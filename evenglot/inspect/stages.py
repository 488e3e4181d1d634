"""Stages in the order of the pipeline, and what each of them set aside."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from corpus.ledger import Ledger

STAGE_ORDER: Final = (
    "read", "normalise", "count_lines", "boilerplate", "pii", "identify", "script", "quality", "filter",
    "decontaminate", "sign", "match", "gates", "deduplicate", "augment", "balance", "write", "tokenize",
)  # fmt: skip
UNREADABLE: Final = "unreadable"
"""Stands for a stage: what could not be parsed."""


def stage_place(stage: str) -> int:
    """Where a stage stands in the pipeline; unknown ones stand last."""
    return STAGE_ORDER.index(stage) if stage in STAGE_ORDER else len(STAGE_ORDER)


def losses(ledger: Ledger) -> dict[str, dict[str, int]]:
    """Records set aside, by stage in the order of the pipeline and by reason, the most frequent first.

    What could not be parsed comes first, under ``unreadable``. A reason without a stage is its own.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for reason, number in ledger.unreadable.items():
        found[UNREADABLE][reason] += number
    for name, number in ledger.by_reason().items():
        stage, _, reason = name.partition("/")
        found[stage][reason or stage] += number
    order = sorted(found, key=lambda stage: (stage != UNREADABLE, stage_place(stage), stage))
    return {stage: dict(found[stage].most_common()) for stage in order}
