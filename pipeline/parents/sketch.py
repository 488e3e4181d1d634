"""What the choice of parents needs to know of a document: place, size, quality, and the words that say its topic.

A sketch holds the document's different words as 32-bit hashes with how often each occurs, the ``TERMS`` of smallest
hash where it has more. All documents leave out the same words (coordinated sampling, as in the bottom-k sketches of
Broder 1997), so that what two of them share stays comparable. No text travels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.hashing import stable_hash
from corpus.schema import NATURAL, TRAIN
from pipeline.curriculum.features import Features, read_features
from pipeline.parents.config import ParentsConfig
from pipeline.quality.classes import Kind

Int64s = npt.NDArray[np.int64]
UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]

TERMS: Final = 256
"""Different words of a document in its sketch; a text of 2 kB rarely has as many."""
MOST: Final = 255
"""Occurrences of a word that are counted."""

SKETCH_SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),  # text shard, relative to the corpus root
        pa.field("row", pa.int64(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("bytes", pa.int32(), nullable=False),  # UTF-8
        pa.field("quality", pa.float32()),
        pa.field("priority", pa.uint64(), nullable=False),  # hash of the id: the smallest are looked at
        pa.field("terms", pa.list_(pa.uint32()), nullable=False),  # ascending
        pa.field("counts", pa.list_(pa.uint8()), nullable=False),
    ]
)


def sketch(
    batch: pa.RecordBatch, path: str, first_row: int, config: ParentsConfig, *, seed: int = 0, share: float = 1.0
) -> pa.Table:
    """Sketches of the documents of a batch that may be parents.

    Those are natural training documents of sufficient quality and of a length within the bounds.

    Args:
        batch: rows of a text shard with ``id``, ``text``, ``split``, ``origin`` and ``quality``.
        path: of the shard.
        first_row: of the batch in it.
        config: bounds.
        seed: another one chooses other documents.
        share: of all documents, by hash of the id, that are looked at.

    Returns:
        a table of ``SKETCH_SCHEMA``, in the order of the rows.
    """
    size = pc.binary_length(batch.column("text")).to_numpy(zero_copy_only=False)
    able = _equal(batch.column("split"), TRAIN) & _equal(batch.column("origin"), NATURAL)
    able &= (size >= config.min_bytes) & (size <= config.max_bytes)
    quality = batch.column("quality").fill_null(1.0).to_numpy(zero_copy_only=False)
    able &= quality >= np.float32(config.min_quality)
    rows = np.flatnonzero(able)
    ids = batch.column("id").take(pa.array(rows)).to_pylist()
    priority = np.array([stable_hash("parent", name, seed=seed) for name in ids], np.uint64)
    if share < 1:
        chosen = priority < np.uint64(share * 2.0**64)
        rows, priority = rows[chosen], priority[chosen]
    few = batch.take(pa.array(rows))
    terms, counts = _terms(few.column("text"))
    columns = {
        "id": few.column("id"),
        "path": pa.array([path] * len(rows), pa.string()),
        "row": pa.array(rows + first_row, pa.int64()),
        "split": few.column("split").cast(pa.string()),
        "bytes": pa.array(size[rows], pa.int32()),
        "quality": few.column("quality"),
        "priority": pa.array(priority, pa.uint64()),
        "terms": terms,
        "counts": counts,
    }
    return pa.table(columns, schema=SKETCH_SCHEMA)


def merge(tables: Iterable[pa.Table], limit: int) -> pa.Table:
    """Of many sketches those of the smallest hashes, ordered by them: the same whatever the order of the tables.

    Args:
        tables: of ``SKETCH_SCHEMA``, read one after the other.
        limit: most rows; no more than three times as many are held.
    """
    kept = SKETCH_SCHEMA.empty_table()
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(part.num_rows for part in waiting) > limit:
            kept = _smallest([kept, *waiting], limit)
            waiting = []
    return _smallest([kept, *waiting], limit)


def term_sketches(texts: pa.Array) -> pa.Table:
    """Bytes and terms of n texts that are no parents, the translations of a language's natural documents.

    Args:
        texts: string column.

    Returns:
        columns ``bytes``, ``terms`` and ``counts``.
    """
    terms, counts = _terms(texts)
    return pa.table({"bytes": pc.binary_length(texts).cast(pa.int32()), "terms": terms, "counts": counts})


def _smallest(tables: list[pa.Table], limit: int) -> pa.Table:
    table = pa.concat_tables(tables)
    order = pc.sort_indices(table, sort_keys=[("priority", "ascending"), ("id", "ascending")])
    return table.take(order.slice(0, limit)).combine_chunks()


def _equal(column: pa.Array, value: str) -> npt.NDArray[np.bool_]:
    same = pc.equal(column.cast(pa.string()), value).fill_null(False)
    found: npt.NDArray[np.bool_] = same.to_numpy(zero_copy_only=False)
    return found


def _terms(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Different words of each text with their counts, as two list columns."""
    sizes = np.zeros(len(texts), np.int64)
    keys, counts = [np.empty(0, np.uint32)], [np.empty(0, np.uint8)]
    for found in read_features(texts):
        words, times, owners = _distinct(found)
        sizes[found.first : found.first + found.text.documents] = np.bincount(owners, minlength=found.text.documents)
        keys.append(words)
        counts.append(times)
    offsets = pa.array(np.concatenate(([0], np.cumsum(sizes))), pa.int32())
    return (
        pa.ListArray.from_arrays(offsets, pa.array(np.concatenate(keys))),
        pa.ListArray.from_arrays(offsets, pa.array(np.concatenate(counts))),
    )


def _distinct(found: Features) -> tuple[UInt32s, npt.NDArray[np.uint8], Int64s]:
    """The terms of some documents, document by document: hash, count and document of each."""
    words = found.words
    letters = found.text.kinds[words.starts] != Kind.NUMBER
    marked = (words.owners[letters].astype(np.uint64) << np.uint64(32)) | found.word_keys[letters]
    marked.sort()
    first = np.flatnonzero(np.diff(marked, prepend=~marked[:1]) != 0)
    times = np.minimum(np.diff(first, append=len(marked)), MOST).astype(np.uint8)
    marked = marked[first]
    owners = (marked >> np.uint64(32)).astype(np.int64)
    place = np.arange(len(owners)) - np.searchsorted(owners, owners)
    kept = place < TERMS
    return marked[kept].astype(np.uint32), times[kept], owners[kept]
