"""Synthetic documents and rejected candidates that the report quotes beside the documents they were made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from corpus.errors import CorpusError
from corpus.manifest import Snapshot
from corpus.storage import Storage
from evenglot.inspect.sample import Row
from evenglot.inspect.selection import Selection
from evenglot.inspect.synthetic import scores, synthetic
from evenglot.report.config import ReportConfig


@dataclass(frozen=True)
class MadeSample:
    """A piece of a synthetic document, or of a candidate for one, and of the natural document it comes from."""

    id: str
    lang: str
    text: str
    cut: bool
    method: str
    generator: str
    scores: Mapping[str, float]
    """By which the gates judged."""
    dropped: int
    """Sentences taken out of it."""
    parent: str = ""
    parent_lang: str = ""
    parent_text: str = ""
    """Empty where the parent is not in the corpus."""
    parent_cut: bool = False
    stage: str = ""
    """Of a rejected candidate; empty for a kept one."""
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class MadeFacts:
    """What is quoted of the synthetic layer."""

    kept: Sequence[MadeSample] = field(default_factory=tuple)
    rejected: Sequence[MadeSample] = field(default_factory=tuple)


def load_made(storage: Storage, snapshot: Snapshot, config: ReportConfig, problems: list[str]) -> MadeFacts:
    """Samples of the synthetic layer, chosen by hash; none where a snapshot has no such layer.

    Args:
        storage: the corpus.
        snapshot: its state.
        config: how many, and how much of each.
        problems: gets what could not be read.
    """
    if snapshot.augmentation is None or not config.samples_synthetic:
        return MadeFacts()
    try:
        found = synthetic(storage, snapshot, Selection(), "all", config.samples_synthetic, config.seed)
    except CorpusError as error:
        problems.append(f"synthetic documents could not be read and are left out of this report: {error.message}")
        return MadeFacts()
    return MadeFacts([_sample(row, config) for row in found.kept], [_sample(row, config) for row in found.rejected])


def _sample(row: Row, config: ReportConfig) -> MadeSample:
    made, parent = row["made"], row["parent_document"] or {}
    limit = config.sample_characters
    models = made.get("models")
    by = row.get("generator") or (" > ".join(map(str, models)) if isinstance(models, list) else "")
    dropped = made.get("dropped")
    text, parent_text = row.get("text") or "", parent.get("text") or ""
    return MadeSample(
        id=row["id"],
        lang=row.get("lang") or "und",
        text=text[:limit],
        cut=len(text) > limit,
        method=str(made.get("method") or row.get("origin") or ""),
        generator=by,
        scores=scores(made),
        dropped=sum(dropped.values()) if isinstance(dropped, dict) else 0,
        parent=row.get("parent") or "",
        parent_lang=parent.get("lang") or "",
        parent_text=parent_text[:limit],
        parent_cut=len(parent_text) > limit,
        stage=row.get("stage") or "",
        reason=row.get("reason") or "",
        detail=row.get("detail") or "",
    )
