"""The stages that every record passes, in order, as the recipe sets them."""

from __future__ import annotations

import time
from collections import Counter

import pyarrow as pa

from corpus.errors import EvenglotError
from pipeline.boilerplate.count import CountLinesStage
from pipeline.boilerplate.stage import BoilerplateStage
from pipeline.config import PrepareConfig
from pipeline.decontaminate.stage import DecontaminateStage
from pipeline.deduplicate.sign import SignStage
from pipeline.language_id.stage import IdentifyStage
from pipeline.normalise.stage import NormaliseStage
from pipeline.piece import Piece
from pipeline.pii.stage import MaskPiiStage
from pipeline.quality.stage import QualityStage
from pipeline.script.stage import ScriptStage
from pipeline.stage import Outcome, Stage, split_batch


def repair_stages(config: PrepareConfig) -> list[Stage]:
    """From raw record to repaired record; with removal of boilerplate its lines are counted at the end."""
    stages: list[Stage] = [NormaliseStage(config.normalise)]
    if config.boilerplate.enabled:
        stages.append(CountLinesStage(config.boilerplate))
    return stages


def score_stages(config: PrepareConfig, work: str = "", keys: str = "") -> list[Stage]:
    """From repaired record to signed record; what is switched off is left out.

    Args:
        config: settings of all stages.
        work: the run's work folder.
        keys: name there of the file of boilerplate lines.
    """
    stages: list[Stage] = []
    if config.boilerplate.enabled:
        stages.append(BoilerplateStage(config.boilerplate, work, keys))
    if config.pii.enabled:
        stages.append(MaskPiiStage(config.pii))
    stages += [IdentifyStage(config.identify), ScriptStage(config.script)]
    if config.decontaminate.files:
        stages.append(DecontaminateStage(config.decontaminate, work))
    stages += [QualityStage(config.filter.stop_words.enabled), SignStage(config.deduplicate.near)]
    return stages


def item_stages(config: PrepareConfig) -> list[Stage]:
    """What changes a text by itself: evaluation items pass it as well, so that equal texts stay equal."""
    stages: list[Stage] = [NormaliseStage(config.normalise)]
    if config.pii.enabled:
        stages.append(MaskPiiStage(config.pii))
    return stages


def stage_names(config: PrepareConfig) -> list[str]:
    """The names of all stages in the order in which a record passes them."""
    return [stage.name for stage in [*repair_stages(config), *score_stages(config)]]


def run_stage(stage: Stage, piece: Piece) -> Piece:
    """Pass one piece through one stage, keeping the account of rows, events and time."""
    started = time.process_time()
    outcome = guarded(stage, piece.kept)
    counters = Counter(piece.counters)
    counters.update(outcome.counters)
    rejected = list(piece.rejected)
    if outcome.rejected is not None:
        rejected.append((stage.name, outcome.rejected))
    seconds = {**piece.seconds, stage.name: time.process_time() - started}
    rows = {**piece.rows, stage.name: (piece.kept.num_rows, outcome.kept.num_rows)}
    side = {**piece.side, **outcome.side}
    return piece.replace(kept=outcome.kept, rejected=rejected, counters=counters, seconds=seconds, rows=rows, side=side)


def guarded(stage: Stage, batch: pa.RecordBatch) -> Outcome:
    """The stage's outcome; a row on which it fails becomes a reject with the error, the others go on.

    Errors that the user can mend (a missing model, say) are not a row's fault and are passed on.
    """
    if batch.num_rows == 0:
        # An empty batch still has to get the stage's columns, so that all pieces have one schema.
        return stage(batch)
    try:
        return stage(batch)
    except EvenglotError:
        raise
    except Exception as error:  # noqa: BLE001 - any defect of a stage must cost one record, not the run
        if batch.num_rows == 1:
            empty = stage(batch.slice(0, 0))
            failed = split_batch(batch, ["error"], [f"{type(error).__name__}: {error}"]).rejected
            return Outcome(empty.kept, failed, side=empty.side)
        half = batch.num_rows // 2
        parts = [guarded(stage, batch.slice(0, half)), guarded(stage, batch.slice(half))]
        counters: Counter[str] = Counter()
        for part in parts:
            counters.update(part.counters)
        rejected = [part.rejected for part in parts if part.rejected is not None]
        side = {name: concat([part.side[name] for part in parts]) for name in parts[0].side}
        return Outcome(concat([part.kept for part in parts]), concat(rejected) if rejected else None, counters, side)


def concat(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Several batches as one; columns that only some have are null in the others."""
    table = pa.concat_tables([pa.Table.from_batches([batch]) for batch in batches], promote_options="default")
    return table.combine_chunks().to_batches()[0] if table.num_rows else batches[0].slice(0, 0)
