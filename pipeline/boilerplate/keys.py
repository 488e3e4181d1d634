"""The file of keys in which the removal looks lines up, of one run and of those before it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa

from corpus.boilerplate import KEYS_SUFFIX, is_keys
from corpus.manifest import Snapshot
from corpus.shards import ShardWriter, read_table
from corpus.storage import Storage
from pipeline.boilerplate.config import BoilerplateConfig
from pipeline.boilerplate.lines import UInt64s
from pipeline.boilerplate.select import removal_keys, selected_rows

KEYS_SCHEMA: Final = pa.schema([pa.field("key", pa.uint64())])
"""One row a key, in order."""
NO_KEYS: Final = np.empty(0, np.uint64)


def gather_keys(work: Storage, folder: str, config: BoilerplateConfig) -> UInt64s:
    """The keys of the lines that were selected in all partitions."""
    tables = []
    for part in work.list(folder):
        if part.endswith(".arrow") and not part.startswith("."):
            with work.local_copy(f"{folder}/{part}") as path:
                tables.append(selected_rows(read_table(path)))
    return removal_keys(tables, config)


def write_keys(storage: Storage, name: str, keys: UInt64s) -> None:
    """Write a file of keys."""
    with storage.create(name) as path, ShardWriter(path, KEYS_SCHEMA) as writer:
        writer.write(keys_batch(keys))


def keys_batch(keys: UInt64s) -> pa.RecordBatch:
    """Keys as a column."""
    return pa.RecordBatch.from_arrays([pa.array(keys)], schema=KEYS_SCHEMA)


def keys_name(number: int) -> str:
    """The file that holds the keys which one run found, in the corpus."""
    return f"boilerplate/{number:06d}{KEYS_SUFFIX}"


def earlier_keys(corpus: Storage, snapshot: Snapshot | None) -> UInt64s:
    """The keys that the runs behind a snapshot found; none without a snapshot.

    Raises:
        CorpusError: a file is missing or damaged.
    """
    files = [] if snapshot is None else [file for file in snapshot.select("boilerplate") if is_keys(file)]
    return np.unique(np.concatenate([NO_KEYS, *(_read(corpus, file.path) for file in files)]))


@lru_cache(maxsize=2)
def load_keys(work: str, name: str) -> UInt64s:
    """The keys of a file, by memory map where the storage is local; once for each process."""
    return _read(Storage(work), name)


def _read(storage: Storage, name: str) -> UInt64s:
    with storage.local_copy(name) as path:
        keys: UInt64s = read_table(path).column("key").combine_chunks().to_numpy()
        return keys
