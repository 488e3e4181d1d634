"""Small prepared corpora."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.hashing import file_hash, record_id
from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, commit
from corpus.schema import RECORD_SCHEMA
from corpus.shards import ShardWriter
from corpus.storage import Storage

Texts = Mapping[str, Sequence[str]]
Writer = Callable[..., str]


def text_corpus(
    root: Path | str,
    train: Texts,
    heldout: Texts | None = None,
    *,
    number: int = 1,
    parent: int | None = None,
    onto: Snapshot | None = None,
) -> str:
    """Write a prepared corpus; its fourth document of each language begins a second shard.

    ``onto`` is a snapshot whose text it goes on with.
    """
    storage = Storage(root)
    files, languages = list(onto.select("text") if onto else ()), dict(onto.languages if onto else {})
    for lang in sorted({*train, *(heldout or {})}):
        split_texts = {"train": train.get(lang, []), "heldout": (heldout or {}).get(lang, [])}
        for split, texts in split_texts.items():
            for part, start in enumerate(range(0, len(texts), 3)):
                files.append(_shard(storage, lang, split, number, part, start, texts[start : start + 3]))
        before = languages.get(lang, LanguageEvidence())
        languages[lang] = LanguageEvidence(
            documents=before.documents + len(split_texts["train"]),
            bytes=before.bytes + sum(len(text.encode()) for text in split_texts["train"]),
            heldout_documents=before.heldout_documents + len(split_texts["heldout"]),
        )
    kept = {lang: known.documents + known.heldout_documents for lang, known in languages.items()}
    snapshot = Snapshot(
        number=number,
        parent=parent,
        made_by="prepare",
        languages=languages,
        mixtures={},
        mixture="proportional",
        ledger=Ledger(read=sum(kept.values()), kept=kept, rejected={}, unreadable={}),
        recipe={"seed": 0},
        files=files,
    )
    commit(storage, snapshot, {})
    return storage.url


@pytest.fixture(scope="session")
def write_corpus() -> Writer:
    """A writer of small prepared corpora."""
    return text_corpus


def _shard(
    storage: Storage, lang: str, split: str, number: int, part: int, start: int, texts: Sequence[str]
) -> ShardFile:
    name = f"text/{lang}/{number:06d}-{split}-{part:05d}.arrow"
    count = len(texts)
    columns = {
        "id": [record_id("test", f"{lang}/{split}/{start + index}") for index in range(count)],
        "text": list(texts),
        "lang": [lang] * count,
        "source": ["test"] * count,
        "origin": ["natural"] * count,
        "copies": [1] * count,
        "split": [split] * count,
        "weight": [1.0] * count,
    }
    with storage.create(name) as path:
        with ShardWriter(path, RECORD_SCHEMA) as writer:
            writer.write(pa.RecordBatch.from_pydict(columns))
        size, digest = path.stat().st_size, file_hash(path)
    return ShardFile(path=name, kind="text", lang=lang, split=split, rows=count, size=size, hash=digest)
