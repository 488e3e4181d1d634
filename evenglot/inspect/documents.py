"""Documents of a corpus: deterministic samples, rejected and unreadable records, one document by its id."""

from __future__ import annotations

import base64
import heapq
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import CorpusError
from corpus.hashing import stable_hash
from corpus.manifest import ShardFile, Snapshot
from corpus.shards import read_batches
from corpus.storage import Storage

Row = dict[str, Any]


@dataclass(frozen=True)
class Unreadable:
    """A broken record, as it was found."""

    file: str
    offset: int
    line: int | None
    reason: str
    detail: str | None
    raw: bytes


def text_samples(storage: Storage, snapshot: Snapshot, *, lang: str | None, count: int, seed: int = 0) -> list[Row]:
    """Kept documents, chosen by the hash of their ids: the same ones every time.

    Args:
        storage: the corpus.
        snapshot: its state to look at.
        lang: only this language; None takes all.
        count: how many at most.
        seed: another seed shows other documents.
    """
    return _sample(storage, snapshot.select("text", lang=lang), count, seed, None)


def rejected_samples(
    storage: Storage,
    snapshot: Snapshot,
    *,
    lang: str | None,
    reason: str | None,
    count: int,
    seed: int = 0,
) -> list[Row]:
    """Rejected documents with stage, reason and the numbers that decided, chosen by the hash of their ids.

    Args:
        storage: the corpus.
        snapshot: its state to look at.
        lang: only this language; ``und`` includes records whose language was never found. None takes all.
        reason: ``stage/reason``, or the reason or the stage alone; None takes all.
        count: how many at most.
        seed: another seed shows other documents.

    Raises:
        CorpusError: nothing was ever rejected for that reason; the message names the reasons there are.
    """
    if reason is not None:
        known = snapshot.ledger.by_reason()
        if not any(_names(reason, *key.split("/", 1)) for key in known):
            there = ", ".join(known) or "none"
            raise CorpusError(f"no record was rejected for '{reason}'", f"Reasons in this corpus: {there}")

    def wanted(batch: pa.RecordBatch) -> pa.Array:
        mask = pa.array([True] * batch.num_rows, pa.bool_())
        if lang is not None:
            mask = pc.and_(mask, pc.equal(pc.fill_null(_strings(batch, "lang"), "und"), lang))
        if reason is not None:
            stages, reasons = _strings(batch, "stage").to_pylist(), _strings(batch, "reason").to_pylist()
            named = [_names(reason, s, r) for s, r in zip(stages, reasons, strict=True)]
            mask = pc.and_(mask, pa.array(named, pa.bool_()))
        return mask

    return _sample(storage, snapshot.select("rejected"), count, seed, wanted)


def unreadable_records(storage: Storage, snapshot: Snapshot, *, count: int) -> list[Unreadable]:
    """The first broken records, in the order of their files."""
    found: list[Unreadable] = []
    for file in snapshot.select("unreadable"):
        for line in storage.read_bytes(file.path).splitlines():
            if len(found) == count:
                return found
            try:
                record = json.loads(line)
                found.append(
                    Unreadable(
                        file=record["file"],
                        offset=record["offset"],
                        line=record.get("line"),
                        reason=record["reason"],
                        detail=record.get("detail"),
                        raw=base64.b64decode(record["raw_base64"]),
                    )
                )
            except (ValueError, KeyError, TypeError) as error:
                raise CorpusError(f"{storage.path(file.path)} is damaged: {error}", "Run `evenglot verify`") from error
    return found


def find_document(storage: Storage, snapshot: Snapshot, prefix: str) -> Row:
    """One document, kept or rejected, by its id or the beginning of it.

    Returns:
        its columns; ``kept``: whether it is in the corpus; ``path``: the shard it is in; for a duplicate
        ``duplicate_of_document``, the kept one; for a kept one ``duplicates``, the ids of those rejected for it.

    Raises:
        CorpusError: no document has such an id, or several have.
    """
    matches = list(_matching(storage, snapshot, "id", prefix.lower(), whole=len(prefix) == 32))
    if not matches:
        raise CorpusError(f"no document has an id that begins with '{prefix}'", "Ids are 32 hexadecimal digits")
    if len({row["id"] for row in matches}) > 1:
        some = ", ".join(sorted({row["id"] for row in matches})[:5])
        raise CorpusError(f"{len(matches)} documents have ids that begin with '{prefix}': {some}", "Give more digits")
    row = min(matches, key=lambda match: not match["kept"])
    if row.get("duplicate_of"):
        kept = [match for match in _matching(storage, snapshot, "id", row["duplicate_of"], whole=True) if match["kept"]]
        row["duplicate_of_document"] = kept[0] if kept else None
    if row["kept"]:
        duplicates = _matching(storage, snapshot, "duplicate_of", row["id"], whole=True)
        row["duplicates"] = sorted(match["id"] for match in duplicates)
    return row


def _matching(storage: Storage, snapshot: Snapshot, column: str, value: str, *, whole: bool) -> Iterator[Row]:
    kinds = (("text", True), ("rejected", False)) if column == "id" else (("rejected", False),)
    for kind, kept in kinds:
        for file in snapshot.select("text" if kind == "text" else "rejected"):
            for batch in _batches(storage, file):
                ids = pc.fill_null(_strings(batch, column), "")
                mask = pc.equal(ids, value) if whole else pc.starts_with(ids, value)
                for row in batch.filter(mask).to_pylist():
                    yield {**row, "kept": kept, "path": file.path}


def _sample(
    storage: Storage,
    files: Iterable[ShardFile],
    count: int,
    seed: int,
    wanted: Callable[[pa.RecordBatch], pa.Array] | None,
) -> list[Row]:
    # A heap of the smallest hashes, largest first. Ids may repeat among rejected documents; the place decides then.
    best: list[tuple[int, str, int, Row]] = []
    place = 0
    for file in files:
        for batch in _batches(storage, file):
            chosen = batch if wanted is None else batch.filter(wanted(batch))
            for index, identity in enumerate(chosen.column("id").to_pylist()):
                place -= 1
                rank = (-stable_hash("sample", identity, seed=seed), identity, place)
                if len(best) < count:
                    heapq.heappush(best, (*rank, _row(chosen, index)))
                elif best and rank > best[0][:3]:
                    heapq.heapreplace(best, (*rank, _row(chosen, index)))
    return [row for *_, row in sorted(best, key=lambda item: (-item[0], item[1], -item[2]))]


def _row(batch: pa.RecordBatch, index: int) -> Row:
    row: Row = batch.slice(index, 1).to_pylist()[0]
    return row


def _names(wanted: str, stage: str, reason: str) -> bool:
    return wanted in (stage, reason, f"{stage}/{reason}")


def _strings(batch: pa.RecordBatch, column: str) -> pa.Array:
    return pc.cast(batch.column(column), pa.string())


def _batches(storage: Storage, file: ShardFile) -> Iterator[pa.RecordBatch]:
    with storage.local_copy(file.path) as path:
        yield from read_batches(path)
