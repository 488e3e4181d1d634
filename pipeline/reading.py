"""From a split of an input to pieces with ids."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa

from corpus.hashing import record_id
from pipeline.piece import EndOfSplit, Piece
from pipeline.sources import InputConfig, SourceBatch, Split, Unreadable, read
from pipeline.stage import with_column
from pipeline.stages import concat


@dataclass(frozen=True)
class ReadTask:
    """One split to read, with the name its staged files get."""

    name: str
    source: str
    split: Split
    config: InputConfig
    salt: str = ""
    """Tells the places of this run's files from those of earlier ones, in the ids of records without a key."""
    batches: int | None = None
    """Source batches after which to stop, for a sample; None reads to the end."""


def read_pieces(task: ReadTask, batch_bytes: int) -> Iterator[Piece | EndOfSplit]:
    """Read a split in pieces of about ``batch_bytes`` of text; the mark of its end comes last."""
    waiting: list[SourceBatch] = []
    size = number = total = 0
    started = time.process_time()
    for batch in islice(read(task.split, task.config), task.batches):
        waiting.append(batch)
        total += batch.read
        size += batch.records.nbytes + batch.rejected.nbytes + sum(len(u.raw) for u in batch.unreadable)
        if size >= batch_bytes:
            yield to_piece(task, number, waiting, started)
            waiting, size, number = [], 0, number + 1
            started = time.process_time()
    if waiting:
        yield to_piece(task, number, waiting, started)
        number += 1
    yield EndOfSplit(task=task.name, pieces=number, read=total)


def to_piece(task: ReadTask, number: int, batches: list[SourceBatch], started: float) -> Piece:
    """Several batches of a source as one piece, with id and source columns."""
    unreadable: list[Unreadable] = [record for batch in batches for record in batch.unreadable]
    rejected = [identified(batch.rejected, task) for batch in batches if batch.rejected.num_rows]
    kept = concat([identified(batch.records, task) for batch in batches])
    return Piece(
        task=task.name,
        number=number,
        kept=kept,
        rejected=[("read", rows) for rows in rejected],
        unreadable=unreadable,
        seconds={"read": time.process_time() - started},
        rows={"read": (sum(batch.read for batch in batches), kept.num_rows)},
    )


def identified(batch: pa.RecordBatch, task: ReadTask) -> pa.RecordBatch:
    """Adds ``id`` and ``source``. A record without a key of its own is identified by its place."""
    columns = (batch.column(name).to_pylist() for name in ("key", "file", "offset"))
    ids = [
        record_id(task.source, key if key is not None else f"{task.split.place}#{offset}{task.salt}")
        for key, _, offset in zip(*columns, strict=True)
    ]
    batch = with_column(batch, "id", pa.array(ids, pa.string()))
    return with_column(batch, "source", pa.array([task.source] * batch.num_rows, pa.string()))
