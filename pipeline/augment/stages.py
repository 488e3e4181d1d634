"""The stages that candidates pass: those that natural text passed once it was repaired, and the gates around them.

Nothing changes a candidate's text here: no repair, no removal of boilerplate, no masking. What it says is what its
provenance accounts for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import pyarrow as pa

from pipeline.config import PrepareConfig
from pipeline.decontaminate.stage import DecontaminateStage
from pipeline.deduplicate.sign import SignStage
from pipeline.gates.config import GateConfig
from pipeline.gates.stage import DocumentGateStage
from pipeline.language_id.stage import IdentifyStage
from pipeline.quality.stage import QualityStage
from pipeline.script.stage import ScriptStage
from pipeline.stage import Outcome, Stage, split_batch, with_column
from pipeline.write.shards import DOCUMENT_QUALITY

GATES: Final = "gates"
"""Stage of every rejection that is about how a text was made: in the ledger ``gates/<reason>``."""
WRONG_LANGUAGE: Final = "wrong_language"
TARGET: Final = "target"
"""Column of the language that a candidate is meant to be in."""


def candidate_stages(config: PrepareConfig, work: str, gates: GateConfig, floors: Mapping[str, float]) -> list[Stage]:
    """From candidates to signed rows.

    Args:
        config: by which the natural text was judged.
        work: the run's work folder, which holds the index of evaluation items where there are any.
        gates: for whole documents.
        floors: least quality by language.
    """
    # A document in several languages is one candidate, whatever prepare makes of such documents.
    identify = config.identify.model_copy(update={"mixed": "mark"}) if config.identify.mixed == "split" else None
    stages: list[Stage] = [GateStage(), IdentifyStage(identify or config.identify), TargetStage()]
    stages.append(ScriptStage(config.script))
    if config.decontaminate.files:
        stages.append(DecontaminateStage(config.decontaminate, work))
    return [
        *stages,
        QualityStage(config.filter.stop_words.enabled),
        DocumentStage(DocumentGateStage(gates, floors, config.identify)),
        SignStage(config.deduplicate.near),
        RankStage(),
    ]


@dataclass(frozen=True)
class GateStage:
    """Rejects what the gates refused when it was made, with their reason and scores.

    The language that a candidate was made for is declared for it, which decides between two close ones.
    """

    name: ClassVar[str] = GATES

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Divide a batch of ``CANDIDATE_SCHEMA``; the language asked for is kept as ``target``."""
        reasons, details = batch.column("reason").to_pylist(), batch.column("detail").to_pylist()
        batch = with_column(batch.drop_columns(["reason", "detail"]), TARGET, batch.column("lang"))
        batch = with_column(batch, "declared_lang", batch.column("lang"))
        return split_batch(batch, reasons, details)


@dataclass(frozen=True)
class TargetStage:
    """Rejects a candidate that is identified as another language than it was made for: it is never relabelled."""

    name: ClassVar[str] = "target"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Compare ``lang`` with ``target``; a rejected row keeps the language it was made for."""
        found, wanted = batch.column("lang").to_pylist(), batch.column(TARGET).to_pylist()
        scores = batch.column("lang_score").to_pylist()
        wrong = [one != other for one, other in zip(found, wanted, strict=True)]
        details = [
            f"{lang} {score or 0:.2f}, made for {tag}" for lang, score, tag in zip(found, scores, wanted, strict=True)
        ]
        outcome = split_batch(batch, [WRONG_LANGUAGE if bad else None for bad in wrong], details)
        if outcome.rejected is None:
            return outcome
        lost = with_column(outcome.rejected, "lang", outcome.rejected.column(TARGET))
        lost = with_column(lost, "lang_score", pa.nulls(lost.num_rows, pa.float32()))
        lost = with_column(lost, "stage", pa.array([GATES] * lost.num_rows, pa.string()))
        return Outcome(outcome.kept, lost)


@dataclass(frozen=True)
class DocumentStage:
    """The gates for whole documents; what they reject is of the stage ``gates`` in the ledger."""

    gates: DocumentGateStage
    name: ClassVar[str] = "document_gates"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Judge one batch."""
        outcome = self.gates(batch)
        if outcome.rejected is None:
            return outcome
        stage = pa.array([GATES] * outcome.rejected.num_rows, pa.string())
        return Outcome(outcome.kept, with_column(outcome.rejected, "stage", stage), outcome.counters)


@dataclass(frozen=True)
class RankStage:
    """Puts the gates' score where the comparison looks for what stays, and keeps the quality beside it."""

    name: ClassVar[str] = "rank"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Rename; no row is rejected."""
        batch = with_column(batch, DOCUMENT_QUALITY, batch.column("quality"))
        return Outcome(with_column(batch, "quality", batch.column("score").cast(pa.float32())))
