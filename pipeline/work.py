"""Intermediate files of a run, under ``.work/<fingerprint>`` of the corpus, named by what they come from.

    read/<task>-<number>.arrow              rows read and repaired, in reading order; removed once they are scored
    read/<task>-<number>.lines.arrow        the keys of their lines
    read/<task>-<number>.rejected.arrow     rows a stage rejected
    read/<task>-<number>.unreadable.jsonl
    read/<task>-<number>.json               the piece's account, written after the files above
    read/<task>.done.json                   the split's account, written after its last piece
    lines/<pieces>/<partition>.arrow        boilerplate lines of some sites
    lines/<pieces>/keys.arrow               the keys of all of them
    staged/<task>.<keys>-<number>…          the same files of a piece that passed all stages, its rows ordered by
                                            language; .removed.arrow has the lines taken out
    match/<pieces>/thresholds.json, threshold_facts.json
    match/<pieces>/exact/<piece>.arrow      decisions on ids and equal texts
    match/<pieces>/links/<piece>.bin, .json verified near duplicates, and their account
    match/<pieces>/final/<piece>.arrow      decisions; sketches.json beside the folder is written last
    written/<snapshot>-<pieces>/<part>.json the account of a finished shard

A task's name is a hash of its input (file, size, modification, range), ``<pieces>`` one of the names of all pieces
that were counted, ``<keys>`` one of what is removed, and the folder's name of everything else that shapes the output,
so a piece that is there is right: a run that was interrupted goes on where its files end. Without removal of
boilerplate ``staged/<task>-<number>…`` is made from the input at once.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from corpus.errors import CorpusError
from corpus.schema import REJECTED_SCHEMA, UNDETERMINED
from corpus.shards import ShardWriter, conform, open_shard, read_table
from corpus.storage import Storage
from pipeline.piece import EndOfSplit, Piece
from pipeline.sources import Unreadable
from pipeline.stage import with_column

READ: Final = "read"
"""Folder of the pieces that were read and repaired."""
STAGED: Final = "staged"
"""Folder of the pieces that passed all stages."""


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


def stage_piece(storage: Storage, piece: Piece, folder: str = STAGED) -> PieceAccount:
    """Write one piece's files and its account.

    Args:
        storage: the run's work folder.
        piece: all of it.
        folder: ``STAGED`` when it has passed all stages, ``READ`` when it has no language yet.
    """
    scored = folder == STAGED
    kept = by_language(piece.kept) if scored else piece.kept
    base = f"{folder}/{piece.name}"
    with storage.create(f"{base}.arrow") as path, ShardWriter(path, kept.schema) as writer:
        writer.write(kept)
    rejected = [rejected_rows(rows, stage) for stage, rows in piece.rejected if rows.num_rows]
    if rejected:
        with storage.create(f"{base}.rejected.arrow") as path, ShardWriter(path, REJECTED_SCHEMA) as writer:
            for rows in rejected:
                writer.write(rows)
    if piece.unreadable:
        storage.write_bytes(f"{base}.unreadable.jsonl", unreadable_lines(piece))
    for name, rows in piece.side.items():
        with storage.create(f"{base}.{name}.arrow") as path, ShardWriter(path, rows.schema) as writer:
            writer.write(rows)
    account = PieceAccount(
        name=piece.name,
        rows=kept.num_rows,
        rejected=sum(rows.num_rows for rows in rejected),
        unreadable=len(piece.unreadable),
        languages=language_ranges(kept) if scored else {},
        counters=dict(piece.counters),
        seconds=dict(piece.seconds),
        stage_rows=dict(piece.rows),
    )
    storage.write_bytes(f"{base}.json", encode(asdict(account)))
    return account


def end_split(storage: Storage, end: EndOfSplit, folder: str = STAGED) -> None:
    """Mark a split as done."""
    storage.write_bytes(f"{folder}/{end.task}.done.json", encode(asdict(end)))


def finished_split(storage: Storage, task: str, folder: str = STAGED) -> tuple[EndOfSplit, list[PieceAccount]] | None:
    """The account of a split and its pieces when all of it is there, else None."""
    name = f"{folder}/{task}.done.json"
    if not storage.exists(name):
        return None
    end = EndOfSplit(**json.loads(storage.read_bytes(name)))
    pieces = []
    for number in range(end.pieces):
        account = piece_account(storage, f"{task}-{number:06d}", folder)
        if account is None:
            return None
        pieces.append(account)
    return end, pieces


def piece_account(storage: Storage, name: str, folder: str = STAGED) -> PieceAccount | None:
    """The account of a piece when all of its files have been written, else None."""
    place = f"{folder}/{name}.json"
    return PieceAccount(**json.loads(storage.read_bytes(place))) if storage.exists(place) else None


def scored_task(task: str, keys: str) -> str:
    """The name of a read task once the boilerplate lines with that hash have been removed."""
    return f"{task}.{keys}"


def raw_name(name: str) -> str:
    """The name that a piece had when it was read."""
    task, _, number = name.rpartition("-")
    return f"{task.partition('.')[0]}-{number}"


def read_piece(storage: Storage, name: str) -> Piece:
    """A piece that was read and repaired, as it was before it was written; without its side tables."""
    base = f"{READ}/{name}"
    account = piece_account(storage, name, READ)
    if account is None:
        raise CorpusError(f"{storage.path(base)}.json is missing", "Run the same command again; it resumes")
    with storage.local_copy(f"{base}.arrow") as path:
        kept = single_batch(read_table(path))
    rejected: list[tuple[str, pa.RecordBatch]] = []
    if account.rejected:
        with storage.local_copy(f"{base}.rejected.arrow") as path:
            rejected = [("read", single_batch(read_table(path)))]  # each row names its stage
    raw = storage.read_bytes(f"{base}.unreadable.jsonl") if account.unreadable else b""
    task, _, number = name.rpartition("-")
    return Piece(
        task=task,
        number=int(number),
        kept=kept,
        rejected=rejected,
        unreadable=[unreadable_record(line) for line in raw.splitlines()],
        counters=account.counters,
        seconds=account.seconds,
        rows={stage: (rows[0], rows[1]) for stage, rows in account.stage_rows.items()},
    )


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


def unreadable_record(line: bytes) -> Unreadable:
    """The broken record that one of ``unreadable_lines`` stands for."""
    fields = json.loads(line)
    return Unreadable(raw=base64.b64decode(fields.pop("raw_base64")), **fields)


def read_staged(storage: Storage, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A staged piece, or some of its columns, by memory map where the storage is local."""
    table = read_mapped(storage, f"staged/{name}.arrow")
    if columns is None:
        return table
    there = set(table.schema.names)
    return table.select([name for name in columns if name in there])


def read_mapped(storage: Storage, name: str) -> pa.Table:
    """An Arrow file that many tasks read: a local one is opened once a process, as long as it stays what it was."""
    if storage.is_local and storage.exists(name):
        path = storage.path(name)
        state = Path(path).stat()
        return _mapped(path, state.st_mtime_ns, state.st_size)
    with storage.local_copy(name) as copy:
        return read_table(copy)


@lru_cache(maxsize=128)
def _mapped(path: str, modified: int, size: int) -> pa.Table:
    return read_table(path)


def read_side(storage: Storage, name: str, table: str) -> pa.Table:
    """A table that was set aside with a staged piece."""
    with storage.local_copy(f"{STAGED}/{name}.{table}.arrow") as path:
        return read_table(path)


def read_without_text(storage: Storage, name: str) -> pa.RecordBatch:
    """All columns of a staged piece but its text, which no decision needs."""
    with storage.local_copy(f"{STAGED}/{name}.arrow") as path:
        columns = [column for column in open_shard(path).schema.names if column != "text"]
    return single_batch(read_staged(storage, name, columns))


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


def write_json(value: Any, work: str, name: str) -> None:
    """Keep a small result in the work folder."""
    Storage(work).write_bytes(name, encode(value))


def json_files(storage: Storage, folder: str, suffix: str = ".json") -> Iterator[tuple[str, Any]]:
    """Name without suffix and content of every JSON file in a folder, in the order of names."""
    for name in storage.list(folder):
        if name.endswith(suffix) and not name.startswith("."):
            yield name.removesuffix(suffix), json.loads(storage.read_bytes(str(Path(folder) / name)))
