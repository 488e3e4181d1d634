"""The job that scores: pieces as they were read -> the other stages -> staged pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import apache_beam as beam

from corpus.storage import Storage
from pipeline.config import PrepareConfig
from pipeline.graphs.deal import Build, dealt
from pipeline.graphs.pieces import RunStage, StagePieces
from pipeline.piece import Piece
from pipeline.stages import score_stages
from pipeline.work import READ, STAGED, piece_account, raw_name, read_piece


def score_job(pieces: Sequence[tuple[str, str]], work: str, keys: str, config: PrepareConfig) -> Build:
    """Pass pieces that were read through the other stages, stage what comes out.

    Args:
        pieces: name of each piece as it was read, and of its task as it is to be staged.
        work: the run's work folder.
        keys: name there of the file of boilerplate lines.
        config: settings of all stages.
    """

    def build(pipeline: beam.Pipeline) -> None:
        passing = dealt(pipeline, "pieces", pieces) | "load" >> beam.FlatMap(load_piece, work)
        for stage in score_stages(config, work, keys):
            passing = passing | stage.name >> beam.ParDo(RunStage(stage))
        _ = passing | "stage" >> beam.ParDo(StagePieces(work, STAGED)) | "clear" >> beam.Map(clear_read, work)

    return build


def load_piece(names: tuple[str, str], work: str) -> Iterator[Piece]:
    """A piece as it was read, unless it has been staged: an engine may ask for it twice."""
    storage = Storage(work)
    piece_name, task = names
    if piece_account(storage, f"{task}-{piece_name.rpartition('-')[2]}") is None:
        yield read_piece(storage, piece_name).replace(task=task)


def clear_read(name: str, work: str) -> None:
    """Remove the text of a piece as it was read, now that it is staged: half of the disk that a run needs."""
    Storage(work).remove(f"{READ}/{raw_name(name)}.arrow")
