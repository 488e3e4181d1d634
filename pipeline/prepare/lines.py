"""Boilerplate lines of sites: which there are, and the table of those removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from corpus.boilerplate import REMOVED_SCHEMA
from corpus.hashing import file_hash, fingerprint
from pipeline.boilerplate.keys import (
    KEYS_SCHEMA,
    earlier_keys,
    gather_keys,
    keys_batch,
    keys_name,
    load_keys,
    write_keys,
)
from pipeline.boilerplate.removed import masked, merge_removed
from pipeline.boilerplate.stage import REMOVED
from pipeline.prepare.context import Context
from pipeline.work import PieceAccount, read_side
from pipeline.write.shards import write_shard


def boilerplate_lines(context: Context, pieces: Sequence[PieceAccount]) -> tuple[str, str]:
    """Select the boilerplate lines of all sites, beside those that earlier runs found.

    Returns:
        the file of their keys, and a hash of what is in it.
    """
    from pipeline.graphs.lines import lines_job

    work = context.work
    names = [piece.name for piece in pieces]
    folder = f"lines/{fingerprint(names)[:16]}"
    keys = f"{folder}/keys.arrow"
    if not work.exists(keys):
        with context.jobs.step("boilerplate lines of sites", lambda: (int(work.exists(keys)), 1)):
            job = lines_job(names, context.work_url, folder, context.config)
            context.jobs.run(job, sum(piece.rows for piece in pieces))
            found = gather_keys(work, folder, context.config.boilerplate)
            write_keys(work, keys, np.union1d(found, earlier_keys(context.corpus, context.base)))
    with work.local_copy(keys) as path:
        return keys, file_hash(path)[:8]


def removed_lines(context: Context, pieces: Sequence[PieceAccount], keys: str | None) -> dict[str, Any]:
    """Write the table of boilerplate lines that were removed, and the keys found by this run; their account.

    Args:
        context: of the run.
        pieces: staged ones.
        keys: file of the keys of boilerplate lines; None where none are removed.
    """
    files: list[dict[str, Any]] = []
    if keys is None:
        return {"kind": "boilerplate", "files": files}
    corpus, work = context.corpus, context.work
    table = merge_removed(
        read_side(work, piece.name, REMOVED) for piece in pieces if piece.counters.get("boilerplate/lines")
    )
    found = np.setdiff1d(load_keys(context.work_url, keys), earlier_keys(corpus, context.base))
    for name, batches, schema in (
        (f"boilerplate/{context.number:06d}.arrow", masked(table, context.config.pii).to_batches(), REMOVED_SCHEMA),
        (keys_name(context.number), [keys_batch(found)], KEYS_SCHEMA),
    ):
        if any(batch.num_rows for batch in batches):
            file = write_shard(corpus, name, "boilerplate", batches, schema, context.config.write)
            files.append(file.model_dump())
        else:
            corpus.remove(name)  # an interrupted run may have had some
    return {"kind": "boilerplate", "files": files}
