"""Pieces as they were read to staged pieces: what has not been scored without these boilerplate lines yet."""

from __future__ import annotations

from collections.abc import Sequence

from corpus.errors import EvenglotError
from pipeline.prepare.context import Context
from pipeline.prepare.read import read_again
from pipeline.reading import ReadTask
from pipeline.work import READ, STAGED, PieceAccount, piece_account, scored_task


def score(
    context: Context, tasks: Sequence[ReadTask], pieces: Sequence[PieceAccount], keys: str, keys_hash: str
) -> list[PieceAccount]:
    """Score pieces, except where that was done.

    Args:
        context: of the run.
        tasks: of reading.
        pieces: that were read.
        keys: file of the keys of boilerplate lines in the work folder.
        keys_hash: of what is in it.

    Returns:
        the accounts of the staged pieces, in the order of the pieces.
    """
    from pipeline.graphs.score import score_job

    work = context.work
    split = {piece.name: piece.name.rpartition("-")[0] for piece in pieces}
    staged = {name: f"{scored_task(task, keys_hash)}-{name.rpartition('-')[2]}" for name, task in split.items()}
    waiting = [name for name in staged if piece_account(work, staged[name]) is None]
    # The text of a piece goes once it is scored; when other boilerplate is found afterwards it is read again.
    gone = {split[name] for name in waiting if not work.exists(f"{READ}/{name}.arrow")}
    if gone:
        read_again(context, [task for task in tasks if task.name in gone], tasks, READ)

    def done() -> tuple[int, int]:
        there = set(work.list(STAGED))
        return sum(f"{name}.json" in there for name in staged.values()), len(staged)

    if waiting:
        with context.jobs.step("clean, identify, score (pieces)", done):
            job = [(name, scored_task(split[name], keys_hash)) for name in waiting]
            context.jobs.run(score_job(job, context.work_url, keys, context.config))
    accounts = [piece_account(work, name) for name in staged.values()]
    found = [account for account in accounts if account is not None]
    if len(found) < len(accounts):
        raise EvenglotError(
            f"{len(accounts) - len(found)} pieces were not scored", "Run the same command again; it resumes"
        )
    return found
