"""Splits to pieces: what has not been read yet is read and repaired, and scored where no boilerplate is removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from corpus.errors import EvenglotError, InputError
from corpus.hashing import stable_hash
from corpus.manifest import Snapshot
from pipeline.prepare.context import Context
from pipeline.prepare.identity import modification
from pipeline.prepare.so_far import read_so_far
from pipeline.reading import ReadTask
from pipeline.sources import InputConfig, Split
from pipeline.work import READ, PieceAccount, finished_split


@dataclass(frozen=True)
class Reading:
    """What the inputs hold."""

    records: Sequence[int]
    """Records met in each split."""
    pieces: Sequence[PieceAccount]
    line_keys: str | None = None
    """File of the keys of boilerplate lines in the work folder; None where none are removed."""

    @property
    def rows(self) -> int:
        """Documents of all pieces."""
        return sum(piece.rows for piece in self.pieces)


def read_tasks(splits: Sequence[Split], inputs: Sequence[InputConfig], base: Snapshot | None) -> list[ReadTask]:
    """A named task for each split; the name holds the file's modification, so a changed file is read anew.

    Args:
        splits: what there is to read.
        inputs: as the splits number them.
        base: the snapshot that the run goes on with.
    """
    tasks = []
    # A file of today may have the name of one of yesterday; records without a key go by their place in it.
    salt = "" if base is None else f"#{base.fingerprint}"
    for number, split in enumerate(splits):
        name = f"{number:06d}-{stable_hash(split.file, modification(split), split.start, split.end):016x}"
        tasks.append(ReadTask(name, split.source, split, inputs[split.input], salt))
    return tasks


def read_splits(context: Context, tasks: Sequence[ReadTask], folder: str) -> Reading:
    """Read what has not been read yet; its pieces come to lie in a folder of the work folder."""
    work = context.work
    waiting = [task for task in tasks if finished_split(work, task.name, folder) is None]
    if waiting:
        read_again(context, waiting, tasks, folder)
    records, pieces = [], []
    for task in tasks:
        found = finished_split(work, task.name, folder)
        if found is None:
            raise EvenglotError(f"split {task.split.file} was not finished", "Run the same command again; it resumes")
        records.append(found[0].read)
        pieces += found[1]
    return Reading(records, pieces)


def read_again(context: Context, waiting: Sequence[ReadTask], tasks: Sequence[ReadTask], folder: str) -> None:
    """Read some of the splits.

    Args:
        context: of the run.
        waiting: the splits.
        tasks: all of them, for progress.
        folder: for their pieces, ``READ`` or ``STAGED``.
    """
    from pipeline.graphs.read import read_job

    sizes = {task.name: max(1, task.split.bytes) for task in tasks}
    total = sum(sizes.values())
    name = "read, repair, count lines (bytes)" if folder == READ else "read, clean, identify, score (bytes)"
    with context.jobs.step(name, lambda: (read_so_far(context.work, sizes, folder), total)):
        context.jobs.run(read_job(waiting, context.work_url, context.config))


def check_readable(reading: Reading, limit: float) -> None:
    """Stop when so much is unreadable that the format must be wrong.

    Args:
        reading: what was read.
        limit: share of all records.
    """
    read, unreadable = sum(reading.records), sum(piece.unreadable for piece in reading.pieces)
    if read and unreadable / read > limit:
        raise InputError(
            f"{unreadable:,} of {read:,} records cannot be parsed ({unreadable / read:.0%}, limit {limit:.0%})",
            "Set the input's `format`, or raise `prepare.fail_unreadable_share` if this is as expected",
        )
