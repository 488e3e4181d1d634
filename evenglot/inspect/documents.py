"""Documents of a corpus: one by its id, and the records that could not be read."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.compute as pc

from corpus.errors import CorpusError
from corpus.manifest import Snapshot
from corpus.storage import Storage
from evenglot.inspect.sample import Row, batches
from evenglot.inspect.selection import strings
from evenglot.inspect.synthetic import is_synthetic, with_parents


@dataclass(frozen=True)
class Unreadable:
    """A broken record, as it was found."""

    file: str
    offset: int
    line: int | None
    reason: str
    detail: str | None
    raw: bytes


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
        ``duplicate_of_document``, the kept one; for a kept one ``duplicates``, the ids of those rejected for it; for a
        synthetic one ``made``, how, and ``parent_document``, from which.

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
    if is_synthetic(row):
        with_parents(storage, snapshot, [row])
    return row


def _matching(storage: Storage, snapshot: Snapshot, column: str, value: str, *, whole: bool) -> Iterator[Row]:
    kinds = (("text", True), ("rejected", False)) if column == "id" else (("rejected", False),)
    for kind, kept in kinds:
        for file in snapshot.select("text" if kind == "text" else "rejected"):
            for batch in batches(storage, file):
                ids = pc.fill_null(strings(batch, column), "")
                mask = pc.equal(ids, value) if whole else pc.starts_with(ids, value)
                for row in batch.filter(mask).to_pylist():
                    yield {**row, "kept": kept, "path": file.path}
