"""From staged pieces to decisions, one piece at a time: rows and keys to compare, then what was decided on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.shards import ShardWriter, conform
from corpus.storage import Storage
from pipeline.deduplicate.candidates import KEY, place
from pipeline.deduplicate.exact import DECISION, DUPLICATE_TEXT, KEPT, NEAR_DUPLICATE, REPEATED_ID, ROW, Rows
from pipeline.deduplicate.resolve import FREE, TO_HELDOUT
from pipeline.quality.config import FilterConfig
from pipeline.quality.decide import decide
from pipeline.split.config import SplitConfig
from pipeline.split.heldout import SplitSketch, cluster_hash
from pipeline.work import read_mapped, read_staged, single_batch

MATCH_SCHEMA = pa.schema(
    [
        pa.field("row", pa.uint32()),
        pa.field("verdict", pa.uint8()),
        pa.field("copies", pa.int32()),
        pa.field("other", pa.binary(16)),  # own id when kept, else the id of the kept document
        pa.field("cluster", pa.binary(16)),  # shared by documents that are the same or nearly so; null: not compared
        pa.field("jaccard", pa.float32()),  # of a near duplicate, with the kept document; else null
        pa.field("containment", pa.float32()),  # of a near duplicate, in the kept document; else null
        pa.field("heldout", pa.bool_()),  # whether it must be, for the sake of others in its cluster; else null
    ]
)

REFUSED_SCHEMA = pa.schema([*MATCH_SCHEMA, *(pa.field(name, pa.string()) for name in ("stage", "reason", "detail"))])
"""Decisions some of which are refusals: those say why."""

MOVE: Final = np.dtype([("piece", "<u4"), ("row", "<u4"), ("other", "S16"), ("cluster", "S16")])
"""A new place to point to, for the exact copy of a document in a cluster of near duplicates."""

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


def match_batch(decisions: Rows, keys: npt.NDArray[np.bytes_]) -> pa.RecordBatch:
    """Decisions on one piece, in the order of its rows; copies of one text are a cluster under the text's key.

    Args:
        decisions: on some rows of the piece, in any order.
        keys: text keys of all its rows.
    """
    ordered = decisions[np.argsort(decisions["row"], kind="stable")]
    nothing = pa.nulls(len(ordered), pa.float32())
    cluster = keys[ordered["row"]]
    return pa.RecordBatch.from_arrays(
        [
            pa.array(ordered["row"]),
            pa.array(ordered["verdict"]),
            pa.array(ordered["copies"].astype(np.int32)),
            bytes_column(ordered["other"]),
            bytes_column(cluster, null=ordered["verdict"] == REPEATED_ID),
            nothing,
            nothing,
            pa.nulls(len(ordered), pa.bool_()),
        ],
        schema=MATCH_SCHEMA,
    )


def near_keys(table: pa.Table, match: pa.Table) -> npt.NDArray[np.void]:
    """The keys by which the kept documents of a piece may meet near duplicates, as KEY rows.

    Args:
        table: columns ``bands``, ``sampled`` and ``quality`` of the piece.
        match: decisions on exact duplicates.
    """
    rows = match.column("row").to_numpy()[match.column("verdict").to_numpy() == KEPT]
    chosen = single_batch(table.take(pa.array(rows)))
    quality = chosen.column("quality").to_numpy(zero_copy_only=False)
    return pack_keys(chosen.column("bands"), chosen.column("sampled"), rows, -quality)


def pack_keys(
    bands: pa.Array, sampled: pa.Array, rows: npt.NDArray[np.integer[Any]], order: npt.NDArray[np.float32]
) -> npt.NDArray[np.void]:
    """The keys of n documents as KEY rows.

    Args:
        bands: a uint64 for each band, packed; null for a document without any.
        sampled: lists of uint64.
        rows: which row of its piece each document is.
        order: low for what is to stay rather than others.
    """
    whole = np.flatnonzero(bands.is_valid().to_numpy(zero_copy_only=False))
    width = bands.type.byte_width // 8
    packed = np.frombuffer(bands.buffers()[1], "<u8") if len(rows) else np.zeros(0, "<u8")
    of_bands = packed.reshape(-1, width)[bands.offset : bands.offset + len(rows)][whole]
    counts = np.diff(sampled.offsets.to_numpy())
    owner = np.concatenate([np.repeat(whole, width), np.repeat(np.arange(len(rows)), counts)])
    keys = np.empty(len(owner), dtype=KEY)
    keys["key"] = np.concatenate([of_bands.ravel(), sampled.flatten().to_numpy()])
    keys["row"], keys["order"] = rows[owner], order[owner]
    return keys


def exact_copies(piece: int, match: pa.Table) -> npt.NDArray[np.void]:
    """The exact duplicates of a piece, with the ids of the documents they point to, as MOVE rows."""
    chosen = match.filter(pc.equal(match.column("verdict"), DUPLICATE_TEXT))
    moves = np.zeros(chosen.num_rows, dtype=MOVE)
    moves["piece"], moves["row"] = piece, chosen.column("row").to_numpy()
    moves["other"] = fixed_bytes(chosen.column("other"))
    return moves


def follow(copies: npt.NDArray[np.void], targets: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """The exact duplicates of documents in clusters, each with the kept document and the cluster of its original.

    Args:
        copies: MOVE rows.
        targets: FATE rows, of which those are in clusters.
    """
    targets = targets[np.argsort(targets["id"], kind="stable")]
    at = np.searchsorted(targets["id"], copies["other"])
    there = at < len(targets)
    there[there] = targets["id"][at[there]] == copies["other"][there]
    moved = copies[there]
    moved["other"], moved["cluster"] = targets["other"][at[there]], targets["cluster"][at[there]]
    return moved


def settle_piece(match: pa.Table, fates: npt.NDArray[np.void], moves: npt.NDArray[np.void]) -> pa.RecordBatch:
    """Decisions on a piece after near duplicates were found.

    Args:
        match: decisions on exact duplicates.
        fates: of the documents of the piece that are in clusters.
        moves: of its exact duplicates that are copies of such documents.
    """
    rows = match.column("row").to_numpy()
    verdict, copies = match.column("verdict").to_numpy().copy(), match.column("copies").to_numpy().copy()
    other, cluster = fixed_bytes(match.column("other")).copy(), fixed_bytes(match.column("cluster")).copy()
    compared = match.column("cluster").is_valid().to_numpy()
    numbers = {name: np.zeros(len(rows), np.float32) for name in ("jaccard", "containment")}
    at = np.searchsorted(rows, place(fates["document"])[1])
    verdict[at] = np.where(fates["kept"] == 1, KEPT, NEAR_DUPLICATE)
    copies[at], other[at], cluster[at] = fates["copies"], fates["other"], fates["cluster"]
    moved = np.searchsorted(rows, moves["row"])
    other[moved], cluster[moved] = moves["other"], moves["cluster"]
    near = verdict == NEAR_DUPLICATE
    split = np.zeros(len(rows), np.uint8)
    split[at] = fates["split"]
    for name, values in numbers.items():
        values[at] = fates[name]
    return pa.RecordBatch.from_arrays(
        [
            pa.array(rows),
            pa.array(verdict),
            pa.array(copies),
            bytes_column(other),
            bytes_column(cluster, null=~compared),
            *(pa.array(values, mask=~near) for values in numbers.values()),
            pa.array(split == TO_HELDOUT, mask=split == FREE),
        ],
        schema=MATCH_SCHEMA,
    )


def settle_earlier(match: pa.Table, fates: npt.NDArray[np.void]) -> pa.RecordBatch:
    """What is now known of the earlier documents of a part: those that new ones were copies of, and how many.

    Args:
        match: those with exact copies.
        fates: of those in clusters, whose copies hold the exact ones.
    """
    fates = fates[fates["copies"] > 1]
    decisions = np.zeros(match.num_rows + len(fates), dtype=DECISION)
    near = slice(match.num_rows, None)
    decisions["row"][: match.num_rows], decisions["row"][near] = match.column("row"), place(fates["document"])[1]
    decisions["copies"][: match.num_rows], decisions["copies"][near] = match.column("copies"), fates["copies"]
    decisions["other"][: match.num_rows], decisions["other"][near] = fixed_bytes(match.column("other")), fates["id"]
    # Of a document that is in both, the last stands: that of its cluster.
    _, last = np.unique(decisions["row"][::-1], return_index=True)
    return earlier_batch(decisions[len(decisions) - 1 - last])


def earlier_batch(decisions: Rows) -> pa.RecordBatch:
    """Earlier documents of a part of which there are new copies, in the order of their rows."""
    ordered = decisions[np.argsort(decisions["row"], kind="stable")]
    columns = {
        "row": pa.array(ordered["row"]),
        "verdict": pa.array(ordered["verdict"]),
        "copies": pa.array(ordered["copies"].astype(np.int32)),
        "other": bytes_column(ordered["other"]),
    }
    return conform(pa.RecordBatch.from_pydict(columns), MATCH_SCHEMA)


def split_sketches(
    storage: Storage, name: str, match: pa.RecordBatch | pa.Table, config: SplitConfig, seed: int
) -> dict[str, SplitSketch]:
    """What the kept rows of a piece say about the held-out bounds of its languages."""
    columns = read_staged(storage, name, ["lang", "n_bytes"])
    chosen = match.column("verdict").to_numpy() == KEPT
    kept = match.column("row").to_numpy()[chosen]
    languages = np.array(columns.column("lang").to_pylist(), dtype=object)[kept]
    hashes = cluster_hash(fixed_bytes(match.column("cluster"))[chosen], seed)
    # What must be trained on lies behind every bound.
    trained = pc.equal(match.column("heldout"), False).fill_null(False).to_numpy(zero_copy_only=False)[chosen]
    hashes[trained] = np.iinfo(np.uint64).max
    sizes = columns.column("n_bytes").to_numpy()[kept]
    sketches: dict[str, SplitSketch] = {}
    for lang in sorted(set(languages)):
        chosen = languages == lang
        sketches.setdefault(lang, SplitSketch()).add(hashes[chosen], sizes[chosen], config)
    return sketches


def read_decisions(storage: Storage, folder: str, piece: str) -> pa.Table:
    """The decisions on a piece; without rows where nothing of it survived the filters."""
    name = f"{folder}/{piece}.arrow"
    if not storage.exists(name):
        return MATCH_SCHEMA.empty_table()
    return read_mapped(storage, name).combine_chunks()


def write_decisions(storage: Storage, name: str, match: pa.RecordBatch, schema: pa.Schema = MATCH_SCHEMA) -> None:
    """Keep the decisions on one piece as a file that later steps map into memory."""
    with storage.create(f"{name}.arrow") as path, ShardWriter(path, schema) as writer:
        writer.write(match)


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


def bytes_column(values: npt.NDArray[np.bytes_], null: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """16-byte keys as a column; padding zeros that NumPy hides are kept.

    Args:
        values: of shape (n,).
        null: which of them are not there.
    """
    raw = np.ascontiguousarray(values).tobytes()
    valid = None if null is None or not null.any() else pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(values), [valid, pa.py_buffer(raw)])


def merge_sketches(parts: Sequence[Mapping[str, SplitSketch]], config: SplitConfig) -> dict[str, SplitSketch]:
    """Sketches of several pieces as one, in the order of languages."""
    total: dict[str, SplitSketch] = {}
    for part in parts:
        for lang, sketch in part.items():
            total.setdefault(lang, SplitSketch()).merge(sketch, config)
    return {lang: total[lang] for lang in sorted(total)}
