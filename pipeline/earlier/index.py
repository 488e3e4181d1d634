"""The index: what later runs compare new documents with, beside the text they look into when keys agree.

    index/<snapshot>-<part>.arrow   one row for each kept document: id, keys, cluster, split, place of its text
    index/<snapshot>-copies.arrow   documents of earlier snapshots that new ones were copies of, with how many

Shards are never rewritten, so copies that are found later stand in the second file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from pipeline.deduplicate.bands import bands_and_rows
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.stage import with_column

LAYOUT: Final = 1
"""Raised when keys of the same text and settings come out otherwise."""
COPIES: Final = "copies"

_CATEGORY = pa.dictionary(pa.int32(), pa.string())
KEY_COLUMNS: Final = ("bands", "sampled")

COPIES_SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.binary(16)),
        pa.field("lang", _CATEGORY),
        pa.field("heldout", pa.bool_()),
        pa.field("copies", pa.int32()),  # that this snapshot adds
    ]
)


def index_schema(near: NearDuplicateConfig) -> pa.Schema:
    """Columns of an index file; its metadata says by which settings the keys were made."""
    fields = [
        pa.field("id", pa.binary(16), nullable=False),
        pa.field("text_key", pa.binary(16), nullable=False),
        pa.field("cluster", pa.binary(16), nullable=False),
        pa.field("lang", _CATEGORY, nullable=False),
        pa.field("heldout", pa.bool_(), nullable=False),
        pa.field("quality", pa.float32(), nullable=False),
        pa.field("bytes", pa.uint32(), nullable=False),
        pa.field("path", _CATEGORY, nullable=False),  # of the text shard, relative to the corpus root
        pa.field("row", pa.uint32(), nullable=False),  # in that shard
    ]
    if near.enabled:
        fields += [
            pa.field("bands", pa.binary(8 * bands_and_rows(near)[0])),
            pa.field("sampled", pa.list_(pa.uint64())),
        ]
    return pa.schema(fields, metadata=index_metadata(near))


def index_metadata(near: NearDuplicateConfig) -> dict[str, str]:
    """What the keys of an index follow from."""
    return {"layout": str(LAYOUT), "keys": json.dumps(key_settings(near), sort_keys=True)}


def key_settings(near: NearDuplicateConfig) -> dict[str, Any] | None:
    """The settings that keys depend on; None where there are none but those of the text itself."""
    if not near.enabled:
        return None
    bands, rows = bands_and_rows(near)
    return {"words": near.words, "characters": near.characters, "bands": bands, "rows": rows, "sample": near.sample}


def fits(metadata: dict[bytes, bytes] | None, near: NearDuplicateConfig) -> bool:
    """Whether the keys of an index can be compared with those of a run."""
    found = metadata or {}
    if found.get(b"layout") != str(LAYOUT).encode():
        return False
    wanted = key_settings(near)
    return wanted is None or json.loads(found.get(b"keys", b"null")) == wanted


def index_rows(batch: pa.RecordBatch, heldout: bool, path: str, first: int) -> pa.RecordBatch:
    """Index rows of documents in the order in which they stand in their shard.

    Args:
        batch: ``id`` and ``cluster`` (hexadecimal), ``text_key``, ``lang``, ``quality``, ``n_bytes`` and, where near
            duplicates are looked for, ``bands`` and ``sampled``.
        heldout: whether the shard is of held-out text.
        path: of the shard.
        first: row of the first of them there.
    """
    rows = batch.num_rows
    sizes = batch.column("n_bytes").to_numpy(zero_copy_only=False)
    columns = {
        "id": binary(batch.column("id")),
        "cluster": binary(batch.column("cluster")),
        "heldout": pa.array([heldout] * rows, pa.bool_()),
        "bytes": pa.array(np.minimum(sizes, np.iinfo(np.uint32).max).astype(np.uint32)),
        "path": pa.array([path] * rows, pa.string()),
        "row": pa.array(np.arange(first, first + rows, dtype=np.uint32)),
    }
    for name, column in columns.items():
        batch = with_column(batch, name, column)
    return batch


def binary(values: pa.Array) -> pa.Array:
    """Hexadecimal ids as 16 bytes each."""
    keys = pa.py_buffer(bytes.fromhex("".join(values.to_pylist())))
    return pa.Array.from_buffers(pa.binary(16), len(values), [None, keys])


def total_copies(tables: Sequence[pa.Table]) -> dict[tuple[str, bool], int]:
    """Copies added, by language and whether the document is held out."""
    totals: dict[tuple[str, bool], int] = {}
    for table in tables:
        columns = (table.column(name).to_pylist() for name in ("lang", "heldout", "copies"))
        for lang, heldout, copies in zip(*columns, strict=True):
            totals[lang, heldout] = totals.get((lang, heldout), 0) + copies
    return totals
