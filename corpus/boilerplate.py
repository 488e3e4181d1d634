"""The lines that ``prepare`` removed as boilerplate of their sites, kept with the snapshot to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from corpus.manifest import ShardFile, Snapshot
from corpus.shards import read_table
from corpus.storage import Storage

REMOVED_SCHEMA: Final = pa.schema(
    [
        pa.field("site", pa.string(), nullable=False),  # host, small letters, no port; empty for documents without URL
        pa.field("line", pa.string(), nullable=False),
        pa.field("count", pa.int64(), nullable=False),  # times the line was removed from documents of that site
    ]
)

KEYS_SUFFIX: Final = "-keys.arrow"
"""End of the names of files that hold keys of boilerplate lines, for later runs; the others hold the lines."""


def is_keys(file: ShardFile) -> bool:
    """Whether a file of the kind ``boilerplate`` holds keys, not lines."""
    return file.path.endswith(KEYS_SUFFIX)


def removed_lines(corpus: Storage | str, snapshot: Snapshot, site: str | None = None) -> pa.Table:
    """The removed lines of a snapshot, the most frequent first.

    Args:
        corpus: where it lies.
        snapshot: one of its snapshots; one without removed lines gives no rows.
        site: narrow them to one host, as it stands in the column ``site``.

    Returns:
        Columns of REMOVED_SCHEMA. In large corpora the rarest lines were left out when they were written.

    Raises:
        CorpusError: the file is missing or damaged.
    """
    storage = corpus if isinstance(corpus, Storage) else Storage(corpus)
    tables = [REMOVED_SCHEMA.empty_table()]
    for file in snapshot.select("boilerplate"):
        if not is_keys(file):
            with storage.local_copy(file.path) as path:
                tables.append(read_table(path).cast(REMOVED_SCHEMA))
    table = tables[-1] if len(tables) <= 2 else add_up(tables)
    return table if site is None else table.filter(pc.equal(table.column("site"), site))


def add_up(tables: Sequence[pa.Table]) -> pa.Table:
    """Counts of several tables added up, the most frequent first; equal ones by site and line."""
    summed = pa.concat_tables(tables).group_by(["site", "line"], use_threads=False).aggregate([("count", "sum")])
    summed = summed.rename_columns({"count_sum": "count"}).select(REMOVED_SCHEMA.names)
    order = pc.sort_indices(summed, [("count", "descending"), ("site", "ascending"), ("line", "ascending")])
    return summed.take(order).cast(REMOVED_SCHEMA)
