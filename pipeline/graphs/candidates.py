"""The job that judges candidates: files of candidates -> stages -> staged pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam

from corpus.shards import read_table
from corpus.storage import Storage
from pipeline.augment.candidates import CANDIDATE_SCHEMA
from pipeline.graphs.deal import Build, dealt
from pipeline.graphs.pieces import RunStage, StagePieces
from pipeline.piece import Piece
from pipeline.stage import Stage
from pipeline.stages import concat
from pipeline.work import STAGED, piece_account, single_batch


@dataclass(frozen=True)
class CandidateTask:
    """Files of candidates that become one piece."""

    name: str
    files: tuple[str, ...]
    """In the work folder."""

    @property
    def piece(self) -> str:
        """Name of the piece."""
        return f"{self.name}-000000"


def candidates_job(tasks: Sequence[CandidateTask], work: str, stages: Sequence[Stage]) -> Build:
    """Pass candidates through their stages, stage what comes out."""

    def build(pipeline: beam.Pipeline) -> None:
        passing = dealt(pipeline, "tasks", tasks) | "load" >> beam.FlatMap(load_candidates, work)
        for stage in stages:
            passing = passing | stage.name >> beam.ParDo(RunStage(stage))
        _ = passing | "stage" >> beam.ParDo(StagePieces(work, STAGED))

    return build


def load_candidates(task: CandidateTask, work: str) -> Iterator[Piece]:
    """The candidates of some files as one piece, unless it has been staged: an engine may ask for it twice."""
    storage = Storage(work)
    if piece_account(storage, task.piece) is not None:
        return
    batches = []
    for name in task.files:
        with storage.local_copy(name) as path:
            batches.append(single_batch(read_table(path).select(CANDIDATE_SCHEMA.names)))
    batch = concat(batches)
    yield Piece(task=task.name, number=0, kept=batch, rows={"read": (batch.num_rows, batch.num_rows)})
