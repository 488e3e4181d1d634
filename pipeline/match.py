"""From staged pieces to decisions, one piece at a time: rows to compare, then what was decided on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.storage import Storage
from pipeline.deduplicate.exact import KEPT, ROW, Rows
from pipeline.quality.config import FilterConfig
from pipeline.quality.decide import decide
from pipeline.split.config import SplitConfig
from pipeline.split.heldout import SplitSketch, cluster_hash
from pipeline.work import read_staged

MATCH_SCHEMA = pa.schema(
    [
        pa.field("row", pa.uint32()),
        pa.field("verdict", pa.uint8()),
        pa.field("copies", pa.int32()),
        pa.field("other", pa.binary(16)),  # own id when kept, else the id of the kept document
    ]
)

Thresholds = Mapping[str, Mapping[str, float]]


def surviving_rows(
    table: pa.RecordBatch, piece: int, thresholds: Thresholds, config: FilterConfig
) -> npt.NDArray[np.void]:
    """The rows of a piece that the filters keep, packed for comparison.

    Args:
        table: all columns of the piece but its text.
        piece: the piece's number in the run.
        thresholds: bounds by language.
        config: filter settings.
    """
    verdicts = decide(table, thresholds, config)
    alive = np.flatnonzero(np.fromiter((v is None for v in verdicts), dtype=bool, count=table.num_rows))
    rows = np.zeros(len(alive), dtype=ROW)
    rows["id"] = ids_as_bytes(table.column("id").take(pa.array(alive)))
    rows["key"] = fixed_bytes(table.column("text_key").take(pa.array(alive)))
    rows["quality"] = table.column("quality").to_numpy(zero_copy_only=False)[alive]
    sizes = table.column("n_bytes").to_numpy(zero_copy_only=False)[alive]
    rows["bytes"] = np.minimum(sizes, np.iinfo(np.uint32).max)
    rows["piece"] = piece
    rows["row"] = alive
    rows["order"] = table.column("position").to_numpy(zero_copy_only=False)[alive]
    return rows


def match_batch(decisions: Rows) -> pa.RecordBatch:
    """Decisions on one piece, in the order of its rows."""
    ordered = decisions[np.argsort(decisions["row"], kind="stable")]
    return pa.RecordBatch.from_arrays(
        [
            pa.array(ordered["row"]),
            pa.array(ordered["verdict"]),
            pa.array(ordered["copies"].astype(np.int32)),
            bytes_column(ordered["other"]),
        ],
        schema=MATCH_SCHEMA,
    )


def split_sketches(
    storage: Storage, name: str, match: pa.RecordBatch, config: SplitConfig, seed: int
) -> dict[str, SplitSketch]:
    """What the kept rows of a piece say about the held-out bounds of its languages."""
    columns = read_staged(storage, name, ["lang", "text_key", "n_bytes"])
    kept = match.column("row").to_numpy()[match.column("verdict").to_numpy() == KEPT]
    languages = np.array(columns.column("lang").to_pylist(), dtype=object)[kept]
    hashes = cluster_hash(fixed_bytes(columns.column("text_key").combine_chunks())[kept], seed)
    sizes = columns.column("n_bytes").to_numpy()[kept]
    sketches: dict[str, SplitSketch] = {}
    for lang in sorted(set(languages)):
        chosen = languages == lang
        sketches.setdefault(lang, SplitSketch()).add(hashes[chosen], sizes[chosen], config)
    return sketches


def ids_as_bytes(ids: pa.Array) -> npt.NDArray[np.bytes_]:
    """Hexadecimal ids as 16-byte keys."""
    return np.array([bytes.fromhex(value) for value in ids.to_pylist()], dtype="S16")


def fixed_bytes(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bytes_]:
    """A column of 16-byte binaries as a NumPy array over the same memory."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if len(column) == 0:
        return np.zeros(0, dtype="S16")
    return np.frombuffer(column.buffers()[1], dtype="S16", count=len(column) + column.offset)[column.offset :]


def bytes_column(values: npt.NDArray[np.bytes_]) -> pa.Array:
    """16-byte keys as a column; padding zeros that NumPy hides are kept."""
    raw = np.ascontiguousarray(values).tobytes()
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(values), [None, pa.py_buffer(raw)])


def merge_sketches(parts: Sequence[Mapping[str, SplitSketch]], config: SplitConfig) -> dict[str, SplitSketch]:
    """Sketches of several pieces as one, in the order of languages."""
    total: dict[str, SplitSketch] = {}
    for part in parts:
        for lang, sketch in part.items():
            total.setdefault(lang, SplitSketch()).merge(sketch, config)
    return {lang: total[lang] for lang in sorted(total)}
