"""Stages over pieces, and the files of what comes out; the jobs that read and score end with them."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
from apache_beam.metrics.metric import Metrics

from corpus.storage import Storage
from pipeline.piece import EndOfSplit, Piece
from pipeline.stage import Stage
from pipeline.stages import run_stage
from pipeline.work import end_split, stage_piece


class RunStage(beam.DoFn):
    """One stage over pieces; marks pass unchanged."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def process(self, element: Piece | EndOfSplit) -> Iterator[Piece | EndOfSplit]:
        if isinstance(element, EndOfSplit):
            yield element
            return
        before = len(element.rejected)
        piece = run_stage(self.stage, element)
        for _, rows in piece.rejected[before:]:
            for reason in rows.column("reason").to_pylist():
                Metrics.counter(self.stage.name, reason).inc()
        yield piece


class StagePieces(beam.DoFn):
    """Writes pieces and marks to the work folder; the names of the pieces go on."""

    def __init__(self, work: str, folder: str) -> None:
        self.work = work
        self.folder = folder

    def setup(self) -> None:
        self.storage = Storage(self.work)

    def process(self, element: Piece | EndOfSplit) -> Iterator[str]:
        if isinstance(element, EndOfSplit):
            end_split(self.storage, element, self.folder)
        else:
            yield stage_piece(self.storage, element, self.folder).name
