"""Decisions to shards, and what was written to an index for later runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from corpus.errors import EvenglotError
from corpus.hashing import file_hash
from corpus.storage import Storage
from pipeline.earlier.documents import EarlierPart, earlier_copies
from pipeline.earlier.index import COPIES, COPIES_SCHEMA
from pipeline.prepare.context import Context
from pipeline.prepare.match import Matched
from pipeline.prepare.read import Reading
from pipeline.work import json_files
from pipeline.write.plan import RestPart, TextPart, plan_index, plan_rest, plan_text
from pipeline.write.shards import WriteJob, write_shard


def write_task(context: Context, reading: Reading, matched: Matched) -> WriteJob:
    """What all parts have in common."""
    return WriteJob(
        snapshot=context.number,
        seed=context.seed,
        pieces=tuple(piece.name for piece in reading.pieces),
        ranges=tuple(piece.languages for piece in reading.pieces),
        bounds=matched.bounds,
        weights=matched.weights,
        thresholds=matched.thresholds,
        filter=context.config.filter,
        near=context.config.deduplicate.near,
        config=context.config.write,
        decisions=matched.decisions.final,
        index=context.config.deduplicate.index,
    )


def write(context: Context, reading: Reading, job: WriteJob) -> list[dict[str, Any]]:
    """Write the shards that are not there yet; their accounts are read back in the order of the plan."""
    from pipeline.graphs.write import part_name, write_job

    work = context.work
    parts: list[TextPart | RestPart] = [
        *plan_text(reading.pieces, context.config.write.shard_bytes),
        *plan_rest(reading.pieces),
    ]
    names = [part_name(part) for part in parts]
    there = {name for name, account in json_files(work, job.accounts) if is_whole(context.corpus, account)}
    waiting = [part for part, name in zip(parts, names, strict=True) if name not in there]
    if waiting:
        with context.jobs.step("write shards", lambda: (len(work.list(job.accounts)), len(parts))):
            context.jobs.run(write_job(waiting, context.output, context.work_url, job), reading.rows)
    accounts = dict(json_files(work, job.accounts))
    missing = [name for name in names if name not in accounts]
    if missing:
        raise EvenglotError(f"{len(missing)} shards were not written", "Run the same command again; it resumes")
    return [accounts[name] for name in names]


def write_index(
    context: Context,
    reading: Reading,
    matched: Matched,
    earlier: Sequence[EarlierPart],
    accounts: Sequence[Mapping[str, Any]],
    job: WriteJob,
) -> tuple[pa.Table, list[dict[str, Any]]]:
    """Keep for later runs what was written, and which earlier documents had new copies.

    Args:
        context: of the run.
        reading: its pieces.
        matched: what was decided on them.
        earlier: the documents that they were compared with.
        accounts: of the shards.
        job: that wrote them.

    Returns:
        the copies, ``COPIES_SCHEMA``, and the files of the index.
    """
    from pipeline.graphs.index import index_job

    work, corpus, config = context.work, context.corpus, context.config.write
    parts = plan_index([account["index"] for account in accounts if "index" in account], config.shard_bytes)
    names = [f"{job.accounts}/index-{part.number:05d}.json" for part in parts]
    waiting = [
        part
        for part, name in zip(parts, names, strict=True)
        if not work.exists(name) or not is_whole(corpus, json.loads(work.read_bytes(name)))
    ]
    if waiting:
        with context.jobs.step("write index", lambda: (sum(map(work.exists, names)), len(names))):
            context.jobs.run(index_job(waiting, context.output, context.work_url, job), reading.rows)
    files = [file for name in names for file in json.loads(work.read_bytes(name))["files"]]
    copies = earlier_copies(work, matched.decisions.final, [part for part in earlier if part.own])
    if copies.num_rows:
        name = f"index/{context.number:06d}-{COPIES}.arrow"
        files.append(write_shard(corpus, name, "index", copies.to_batches(), COPIES_SCHEMA, config).model_dump())
    return copies, files


def is_whole(corpus: Storage, account: Mapping[str, Any]) -> bool:
    """Whether the shards of an interrupted run are still its own: another run may have written there since."""
    for file in account["files"]:
        if not corpus.exists(file["path"]):
            return False
        with corpus.local_copy(file["path"]) as path:
            if file_hash(path) != file["hash"]:
                return False
    return True
