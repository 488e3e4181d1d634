"""Index rows of text shards that have none, or none that fit: made anew from the text."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from corpus.manifest import ShardFile
from corpus.schema import HELDOUT
from corpus.shards import ShardWriter, read_table
from corpus.storage import Storage
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.sign import SignStage
from pipeline.earlier.index import index_rows, index_schema
from pipeline.stage import with_column

ROWS: int = 4096
"""Documents signed at a time."""


@dataclass(frozen=True)
class SignTask:
    """A text shard of an earlier snapshot, and the file its index rows go to."""

    root: str
    shard: ShardFile
    name: str
    """In the work folder."""


def sign_shard(work: Storage, task: SignTask, near: NearDuplicateConfig) -> None:
    """Write the index rows of one shard, unless they are there."""
    if work.exists(task.name):
        return
    stage = SignStage(near)
    columns = ["id", "text", "lang", "quality"]
    with Storage(task.root).local_copy(task.shard.path) as path:
        table = read_table(path)
        if "cluster" in table.schema.names:
            columns.append("cluster")
        table = table.select(columns)
        with work.create(task.name) as target, ShardWriter(target, index_schema(near)) as writer:
            first = 0
            for batch in table.to_batches(max_chunksize=ROWS):
                signed = stage(batch).kept
                if "cluster" not in columns:
                    # A snapshot of before clusters were stored: a document is its own cluster.
                    keys = [key.hex() for key in signed.column("text_key").to_pylist()]
                    signed = with_column(signed, "cluster", pa.array(keys, pa.string()))
                writer.write(index_rows(signed, task.shard.split == HELDOUT, task.shard.path, first))
                first += batch.num_rows
