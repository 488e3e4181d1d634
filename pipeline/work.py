"""Intermediate files of a run, under ``.work/<fingerprint>`` of the corpus, named by what they come from.

    staged/<task>-<number>.arrow            rows that passed all stages, ordered by language
    staged/<task>-<number>.rejected.arrow   rows a stage rejected
    staged/<task>-<number>.unreadable.jsonl
    staged/<task>-<number>.json             the piece's account, written after the files above
    staged/<task>.done.json                 the split's account, written after its last piece
    match/thresholds.json, match/<piece>.arrow, match/sketches.json
    written/<snapshot>-<pieces>/<part>.json the account of a finished shard

A task's name is a hash of its input (file, size, modification, range), and the folder's of everything else that
shapes the output, so a staged piece that is there is right: a run that was interrupted goes on where its files end.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from corpus.schema import REJECTED_SCHEMA, UNDETERMINED
from corpus.shards import ShardWriter, conform, open_shard, read_table
from corpus.storage import Storage
from pipeline.piece import EndOfSplit, Piece
from pipeline.stage import with_column


@dataclass(frozen=True)
class PieceAccount:
    """What is known of a staged piece without opening it."""

    name: str
    rows: int
    rejected: int
    unreadable: int
    languages: Mapping[str, tuple[int, int, int]]
    """Language -> (first row, one past the last row, UTF-8 bytes); rows are ordered by language."""
    counters: Mapping[str, int]
    seconds: Mapping[str, float]
    stage_rows: Mapping[str, tuple[int, int]]


def stage_piece(storage: Storage, piece: Piece) -> PieceAccount:
    """Write one piece's files and its account."""
    kept = by_language(piece.kept)
    base = f"staged/{piece.name}"
    with storage.create(f"{base}.arrow") as path, ShardWriter(path, kept.schema) as writer:
        writer.write(kept)
    rejected = [rejected_rows(rows, stage) for stage, rows in piece.rejected if rows.num_rows]
    if rejected:
        with storage.create(f"{base}.rejected.arrow") as path, ShardWriter(path, REJECTED_SCHEMA) as writer:
            for rows in rejected:
                writer.write(rows)
    if piece.unreadable:
        storage.write_bytes(f"{base}.unreadable.jsonl", unreadable_lines(piece))
    account = PieceAccount(
        name=piece.name,
        rows=kept.num_rows,
        rejected=sum(rows.num_rows for rows in rejected),
        unreadable=len(piece.unreadable),
        languages=language_ranges(kept),
        counters=dict(piece.counters),
        seconds=dict(piece.seconds),
        stage_rows=dict(piece.rows),
    )
    storage.write_bytes(f"{base}.json", encode(asdict(account)))
    return account


def end_split(storage: Storage, end: EndOfSplit) -> None:
    """Mark a split as done."""
    storage.write_bytes(f"staged/{end.task}.done.json", encode(asdict(end)))


def finished_split(storage: Storage, task: str) -> tuple[EndOfSplit, list[PieceAccount]] | None:
    """The account of a split and its pieces when all of it is there, else None."""
    name = f"staged/{task}.done.json"
    if not storage.exists(name):
        return None
    end = EndOfSplit(**json.loads(storage.read_bytes(name)))
    pieces = []
    for number in range(end.pieces):
        account = f"staged/{task}-{number:06d}.json"
        if not storage.exists(account):
            return None
        pieces.append(PieceAccount(**json.loads(storage.read_bytes(account))))
    return end, pieces


def by_language(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows ordered by language; rows of one language keep their order, and ``position`` says what it was."""
    batch = with_column(batch, "position", pa.array(np.arange(batch.num_rows, dtype=np.uint32)))
    if batch.num_rows == 0:
        return batch
    values = batch.column("lang").dictionary_encode()
    codes = values.indices.to_numpy(zero_copy_only=False)
    names = values.dictionary.to_pylist()
    rank = np.zeros(len(names), dtype=np.int64)
    rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return batch.take(pa.array(np.argsort(rank[codes], kind="stable")))


def language_ranges(batch: pa.RecordBatch) -> dict[str, tuple[int, int, int]]:
    """Where each language lies in a batch ordered by language, and its bytes."""
    if batch.num_rows == 0:
        return {}
    values = batch.column("lang").dictionary_encode()
    codes = values.indices.to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    stops = np.r_[starts[1:], len(codes)]
    sizes = np.add.reduceat(batch.column("n_bytes").to_numpy(zero_copy_only=False), starts)
    names = values.dictionary.to_pylist()
    return {
        names[codes[start]]: (int(start), int(stop), int(size))
        for start, stop, size in zip(starts, stops, sizes, strict=True)
    }


def rejected_rows(rows: pa.RecordBatch, stage: str) -> pa.RecordBatch:
    """Rejected rows in the columns of a rejected shard."""
    columns = {name: rows.column(name) for name in rows.schema.names if name in REJECTED_SCHEMA.names}
    columns.setdefault("stage", pa.array([stage] * rows.num_rows, pa.string()))
    return conform(pa.RecordBatch.from_pydict(columns), REJECTED_SCHEMA)


def unreadable_lines(piece: Piece) -> bytes:
    """One JSON object a line for each broken record, its bytes in base64."""
    lines = []
    for record in piece.unreadable:
        fields = asdict(record)
        fields["raw_base64"] = base64.b64encode(fields.pop("raw")).decode("ascii")
        lines.append(encode(fields))
    return b"".join(lines)


def read_staged(storage: Storage, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A staged piece, or some of its columns, by memory map where the storage is local."""
    with storage.local_copy(f"staged/{name}.arrow") as path:
        table = read_table(path)
        return table if columns is None else table.select([c for c in columns if c in table.schema.names])


def staged_columns(storage: Storage, name: str) -> list[str]:
    """Names of a staged piece's columns."""
    with storage.local_copy(f"staged/{name}.arrow") as path:
        return list(open_shard(path).schema.names)


def single_batch(table: pa.Table) -> pa.RecordBatch:
    """A table as one record batch, also when it has no rows."""
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def reject_counts(rows: pa.Table | pa.RecordBatch) -> dict[str, dict[str, int]]:
    """``stage/reason`` -> language -> rows."""
    counts: dict[str, Counter[str]] = {}
    columns = zip(*(rows.column(name).to_pylist() for name in ("stage", "reason", "lang")), strict=True)
    for stage, reason, lang in columns:
        counts.setdefault(f"{stage}/{reason}", Counter())[lang or UNDETERMINED] += 1
    return {key: dict(value) for key, value in counts.items()}


def encode(value: Any) -> bytes:
    """JSON with one line end, keys in order."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n").encode("utf-8", "surrogatepass")


def json_files(storage: Storage, folder: str, suffix: str = ".json") -> Iterator[tuple[str, Any]]:
    """Name without suffix and content of every JSON file in a folder, in the order of names."""
    for name in storage.list(folder):
        if name.endswith(suffix) and not name.startswith("."):
            yield name.removesuffix(suffix), json.loads(storage.read_bytes(str(Path(folder) / name)))
