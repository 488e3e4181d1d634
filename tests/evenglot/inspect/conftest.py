"""Small corpora from rows written by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from corpus.hashing import record_id
from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, commit
from corpus.schema import RECORD_SCHEMA, REJECTED_SCHEMA
from corpus.shards import ShardWriter, conform
from corpus.storage import Storage

Row = Mapping[str, Any]
Opened = tuple[Storage, Snapshot]
Build = Callable[..., Opened]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """``build(kept, rejected, thresholds=..., recipe=...)``: rows need a key; kept ones also a text and a language."""

    def make(kept: Sequence[Row], rejected: Sequence[Row] = (), **fields: Any) -> Opened:
        storage = Storage(tmp_path / "corpus")
        files = []
        by_language: dict[str, list[Row]] = defaultdict(list)
        for row in kept:
            by_language[row["lang"]].append({**_KEPT, "id": record_id("made", row["key"]), **row})
        for lang, rows in by_language.items():
            files.append(_shard(storage, f"text/{lang}/000001-train-00000.arrow", rows, RECORD_SCHEMA, lang))
        lost = [
            {**_REJECTED, "id": record_id("made", row["key"]), "offset": place, **row}
            for place, row in enumerate(rejected)
        ]
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for row in lost:
            counts[f"{row['stage']}/{row['reason']}"][row.get("lang") or "und"] += 1
        if lost:
            files.append(_shard(storage, "rejected/000001-00000.arrow", lost, REJECTED_SCHEMA, None))
        snapshot = Snapshot(
            number=1,
            made_by="prepare",
            languages={
                lang: LanguageEvidence(documents=len(rows), bytes=sum(len(row["text"].encode()) for row in rows))
                for lang, rows in by_language.items()
            },
            mixtures={},
            mixture="unimax",
            ledger=Ledger(
                read=len(kept) + len(lost),
                kept={lang: len(rows) for lang, rows in by_language.items()},
                rejected={reason: dict(number) for reason, number in counts.items()},
                unreadable={},
            ),
            files=files,
            **fields,
        )
        commit(storage, snapshot, {})
        return storage, snapshot

    return make


_KEPT = {"lang_score": 0.9, "source": "made", "origin": "natural", "copies": 1, "split": "train", "weight": 1.0}
_REJECTED = {"source": "made", "file": "a.jsonl", "stage": "filter", "reason": "too_short"}


def _shard(storage: Storage, name: str, rows: Sequence[Row], schema: pa.Schema, lang: str | None) -> ShardFile:
    plain = pa.schema(
        [pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in schema]
    )
    with storage.create(name) as path, ShardWriter(path, schema) as writer:
        writer.write(conform(pa.RecordBatch.from_pylist(list(rows), schema=plain), schema))
    kind: Any = "rejected" if lang is None else "text"
    return ShardFile(path=name, kind=kind, lang=lang, split="train" if lang else None, rows=len(rows))
