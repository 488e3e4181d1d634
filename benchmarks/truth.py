"""The ground truth of the development corpus, joined to what ``prepare`` made of every line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

from corpus.manifest import Snapshot
from corpus.shards import read_table
from corpus.storage import Storage

CLEAN_KINDS = frozenset({"boilerplate", "pii", "lang_code_variant", "nfd"})
"""What may be planted in a document that is to be kept."""


@dataclass
class Line:
    """One line of the corpus: what is true of it and what became of it."""

    shard: str
    number: int
    """Counted from 1."""
    offset: int
    id: str | None
    true_lang: str
    declared: Any
    planted: list[dict[str, Any]]
    outcome: str = "missing"
    """``kept``, ``rejected`` or ``unreadable``."""
    reason: str | None = None
    lang: str | None = None
    duplicate_of: str | None = None
    record: str | None = None
    """Id that evenglot gave it."""
    text: str | None = field(default=None, repr=False)

    @property
    def kinds(self) -> set[str]:
        """What was planted."""
        return {plant["kind"] for plant in self.planted}

    @property
    def clean(self) -> bool:
        """Whether the document is to be kept with its declared language."""
        return self.kinds <= CLEAN_KINDS


def load_truth(folder: Path) -> dict[tuple[str, int], Line]:
    """Every line of the shards, by shard name and byte offset of the line once decompressed."""
    records = [json.loads(line) for line in decompressed(folder / "ground_truth.jsonl.zst").splitlines()]
    by_place = {(record["shard"], record["line"]): record for record in records}
    lines: dict[tuple[str, int], Line] = {}
    for path in sorted(folder.glob("shard-*.jsonl.zst")):
        shard, offset = path.name.removesuffix(".zst"), 0
        for number, raw in enumerate(decompressed(path).split(b"\n")[:-1], start=1):
            record = by_place[shard, number]
            lines[shard, offset] = Line(
                shard, number, offset, record.get("id"), record["true_lang"], record.get("declared"), record["planted"]
            )
            offset += len(raw) + 1
    assert len(lines) == len(records)
    return lines


def decompressed(path: Path) -> bytes:
    """The whole of a .zst file."""
    with path.open("rb") as handle:
        return zstandard.ZstdDecompressor().stream_reader(handle).read()


def source_texts(folder: Path) -> dict[tuple[str, int], str]:
    """The text of every line that can be parsed and has one, by shard and number."""
    texts = {}
    for path in sorted(folder.glob("shard-*.jsonl.zst")):
        shard = path.name.removesuffix(".zst")
        for number, raw in enumerate(decompressed(path).split(b"\n")[:-1], start=1):
            try:
                record = json.loads(raw.removeprefix(b"\xef\xbb\xbf"))
            except ValueError:
                continue
            if isinstance(record, dict) and isinstance(record.get("text"), str):
                texts[shard, number] = record["text"]
    return texts


def join(lines: dict[tuple[str, int], Line], corpus: str, snapshot: Snapshot) -> None:
    """Fill in what became of every line."""
    storage = Storage(corpus)
    for place, fields in set_aside(storage, snapshot):
        line = lines[nearest(lines, place)]
        assert line.outcome == "missing", f"{place} is accounted for twice"
        for name, value in fields.items():
            setattr(line, name, value)
    by_id: dict[str, list[Line]] = {}
    nameless: list[Line] = []
    for line in lines.values():
        if line.outcome == "missing":
            key = None if "missing_id" in line.kinds else line.id
            by_id.setdefault(key, []).append(line) if key else nameless.append(line)
    for row in kept_rows(storage, snapshot):
        candidates = by_id.get(row["key"]) if row["key"] else nameless
        if not candidates:
            continue
        line = candidates.pop(0)
        line.outcome, line.lang, line.record, line.text = "kept", row["lang"], row["id"], row["text"]


def nearest(lines: Mapping[tuple[str, int], Line], place: tuple[str, int]) -> tuple[str, int]:
    """A byte order mark before the first line belongs to that line."""
    return place if place in lines else (place[0], 0)


def set_aside(storage: Storage, snapshot: Snapshot) -> Iterator[tuple[tuple[str, int], dict[str, Any]]]:
    """(shard, offset) and outcome of every rejected and unreadable record."""
    columns = ["id", "lang", "text", "file", "offset", "stage", "reason", "duplicate_of"]
    for file in snapshot.select("rejected"):
        for row in read_table(storage.path(file.path)).select(columns).to_pylist():
            yield (
                (shard_name(row["file"]), row["offset"]),
                {
                    "outcome": "rejected",
                    "reason": f"{row['stage']}/{row['reason']}",
                    "lang": row["lang"],
                    "duplicate_of": row["duplicate_of"],
                    "record": row["id"],
                    "text": row["text"],
                },
            )
    for file in snapshot.select("unreadable"):
        for line in storage.read_bytes(file.path).splitlines():
            row = json.loads(line)
            yield (shard_name(row["file"]), row["offset"]), {"outcome": "unreadable", "reason": row["reason"]}


def kept_rows(storage: Storage, snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """Id, key, language and text of every kept record."""
    for file in snapshot.select("text"):
        yield from read_table(storage.path(file.path)).select(["id", "key", "lang", "text"]).to_pylist()


def shard_name(file: str) -> str:
    """``shard-00.jsonl`` of a path to the compressed shard."""
    return Path(file).name.removesuffix(".zst")


def share(part: int, whole: int) -> float | None:
    """A ratio to five places; None of nothing."""
    return round(part / whole, 5) if whole else None


def recall_by(values: Sequence[tuple[str, bool]]) -> dict[str, float | None]:
    """Share of hits for each group."""
    total: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for group, hit in values:
        total[group] += 1
        hits[group] += hit
    return {group: share(hits[group], total[group]) for group in sorted(total)}
