"""The job that reads: splits -> batches -> repairs -> pieces, keys of their lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import apache_beam as beam

from pipeline.config import PrepareConfig
from pipeline.graphs.deal import Build, dealt
from pipeline.graphs.pieces import RunStage, StagePieces
from pipeline.piece import EndOfSplit, Piece
from pipeline.reading import ReadTask, read_pieces
from pipeline.stages import repair_stages, score_stages
from pipeline.work import READ, STAGED


def read_job(tasks: Sequence[ReadTask], work: str, config: PrepareConfig) -> Build:
    """Read splits and repair what is in them; score it too where no boilerplate is removed, which needs all splits."""
    stages, folder = repair_stages(config), READ
    if not config.boilerplate.enabled:
        stages, folder = [*stages, *score_stages(config, work)], STAGED

    def build(pipeline: beam.Pipeline) -> None:
        pieces = dealt(pipeline, "splits", tasks) | "read" >> beam.ParDo(ReadSplits(config.batch_bytes))
        for stage in stages:
            pieces = pieces | stage.name >> beam.ParDo(RunStage(stage))
        _ = pieces | "stage" >> beam.ParDo(StagePieces(work, folder))

    return build


class ReadSplits(beam.DoFn):
    """Split -> its pieces, then the mark of its end."""

    def __init__(self, batch_bytes: int) -> None:
        self.batch_bytes = batch_bytes

    def process(self, task: ReadTask) -> Iterator[Piece | EndOfSplit]:
        yield from read_pieces(task, self.batch_bytes)
