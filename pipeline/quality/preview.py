"""What other settings of the filter would keep and reject, from the scores of a corpus: no text is scored again.

The limits of every language are derived anew from all documents that were scored, as a whole run would derive them, and
every document is judged by them. Beyond the filter nothing is done again: whether a document that would come back has a
duplicate, or a duplicate would take the place of a document that goes, only a run can tell.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from corpus.hashing import stable_hash
from corpus.manifest import ThresholdFacts
from corpus.schema import UNDETERMINED
from pipeline.quality.config import FilterConfig
from pipeline.quality.decide import decide
from pipeline.quality.survey import Survey, merge, survey
from pipeline.quality.thresholds import Thresholds, derive

KEPT: Final = "kept"
DECIDED: Final = ("identify", "script", "filter")
"""Stages whose rejections are decided from scores."""
_DUPLICATE: Final = "deduplicate"

Rows = Callable[[], Iterable[pa.RecordBatch]]
"""Gives all documents of a corpus in batches, as often as it is called.

Columns: ``id``, ``lang``, ``lang_score``, ``url``, ``source``, those of SCORES_SCHEMA, and ``stage``, ``reason`` and
``detail``, null for documents that are kept.
"""


@dataclass(frozen=True)
class Example:
    """A document whose fate would change."""

    id: str
    lang: str
    before: str
    """``kept`` or ``stage/reason``."""
    after: str
    detail: str | None
    """The numbers that would decide; of a document that would be kept, those that did."""


@dataclass
class Preview:
    """What would change."""

    scored: int = 0
    """Documents with scores."""
    unscored: int = 0
    """Records that were rejected before they were scored; they stay so."""
    kept: Counter[str] = field(default_factory=Counter)
    """Documents in the corpus as it is, by language."""
    changes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Documents by (before, after, language) where the two differ."""
    examples: list[Example] = field(default_factory=list)
    thresholds: Thresholds = field(default_factory=lambda: Thresholds({}))
    facts: dict[str, ThresholdFacts] = field(default_factory=dict)

    def back(self) -> Counter[str]:
        """Documents that the filter would no longer reject, by language."""
        return self._sum(lambda before, after: after == KEPT)

    def gone(self) -> Counter[str]:
        """Documents of the corpus that would be rejected, by language."""
        return self._sum(lambda before, after: before == KEPT)

    def _sum(self, counts: Callable[[str, str], bool]) -> Counter[str]:
        found: Counter[str] = Counter()
        for (before, after, lang), number in self.changes.items():
            if counts(before, after):
                found[lang] += number
        return found


def preview(rows: Rows, config: FilterConfig, examples: int = 0) -> Preview:
    """Judge all documents of a corpus by other settings.

    Args:
        rows: the documents with their scores.
        config: the other settings.
        examples: documents to name, at most, for each pair of before and after; chosen by the hash of their ids.
    """
    surveys: dict[str, Survey] = {}
    found = Preview()
    for batch in rows():
        scored = _scored(batch)
        surveys = merge([surveys, survey(scored, config)])
        found.scored += scored.num_rows
        found.unscored += batch.num_rows - scored.num_rows
    found.thresholds, found.facts = derive(surveys, config)
    chosen: dict[tuple[str, str], list[tuple[int, int, Example]]] = {}
    for batch in rows():
        scored = _scored(batch)
        langs = pc.fill_null(scored.column("lang").cast(pa.string()), UNDETERMINED).to_pylist()
        before = _before(scored)
        found.kept.update(lang for lang, was in zip(langs, before, strict=True) if was == KEPT)
        for row, (was, decision) in enumerate(zip(before, decide(scored, found.thresholds, config), strict=True)):
            now = KEPT if decision is None else f"{decision.stage}/{decision.reason}"
            # A duplicate that the filter lets pass stays a duplicate.
            if was == now or (now == KEPT and was.startswith(f"{_DUPLICATE}/")):
                continue
            found.changes[was, now, langs[row]] += 1
            detail = scored.column("detail")[row].as_py() if decision is None else decision.detail
            example = Example(scored.column("id")[row].as_py(), langs[row], was, now, detail)
            _draw(chosen.setdefault((was, now), []), example, found.changes.total(), examples)
    found.changes = Counter(dict(sorted(found.changes.items())))
    found.examples = [
        example for _, drawn in sorted(chosen.items()) for *_, example in sorted(drawn, key=lambda one: -one[0])
    ]
    return found


def _scored(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows that were judged by their scores; what an earlier or another stage rejected is none of them."""
    stages = batch.column("stage").cast(pa.string())
    judged = pc.is_in(pc.fill_null(stages, KEPT), value_set=pa.array([KEPT, _DUPLICATE, *DECIDED]))
    return batch.filter(pc.and_(judged, pc.is_valid(batch.column("n_words"))))


def _before(batch: pa.RecordBatch) -> list[str]:
    """What became of each row: ``kept`` or ``stage/reason``."""
    stages, reasons = (batch.column(name).cast(pa.string()) for name in ("stage", "reason"))
    joined = pc.fill_null(pc.binary_join_element_wise(stages, reasons, "/"), KEPT)
    found: list[str] = joined.to_pylist()
    return found


def _draw(drawn: list[tuple[int, int, Example]], example: Example, order: int, count: int) -> None:
    """Keep those with the smallest hashes."""
    entry = (-stable_hash("preview", example.id), -order, example)
    if len(drawn) < count:
        heapq.heappush(drawn, entry)
    elif drawn and entry[:2] > drawn[0][:2]:
        heapq.heapreplace(drawn, entry)
