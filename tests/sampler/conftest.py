"""Small corpora of made-up tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, commit
from corpus.schema import token_schema
from corpus.shards import ShardWriter
from corpus.storage import Storage

SPECIAL = {"pad": 0, "unk": 1, "bos": 2, "eos": 3, "mask": 4}
Lengths = Mapping[str, Sequence[int]]


class MadeUp:
    """What tests know of a made-up corpus."""

    special = SPECIAL

    @staticmethod
    def document(number: int, index: int, length: int) -> list[int]:
        """The tokens of a document."""
        return document(number, index, length)

    @staticmethod
    def corpus(root: Path | str, train: Lengths, heldout: Lengths | None = None, **options: int) -> str:
        """Write a corpus; see :func:`token_corpus`."""
        return token_corpus(root, train, heldout, **options)


@pytest.fixture(scope="session")
def made_up() -> type[MadeUp]:
    """A writer of small corpora."""
    return MadeUp


def token_corpus(
    root: Path | str,
    train: Lengths,
    heldout: Lengths | None = None,
    *,
    files: int = 1,
    batch: int = 1024,
    vocabulary: int = 1 << 16,
    attributes: bool = False,
) -> str:
    """Write a corpus whose documents have the given numbers of tokens.

    The tokens of a document are 10 + (language number * 1009 + document * 31 + position) % 60000, then ``eos``;
    a document of n tokens has 3 * n bytes. With attributes document i has difficulty and diversity i / 1000, stands
    for i + 1 copies, and is synthetic where i is odd.
    """
    storage = Storage(root)
    listed, languages = [], {}
    for number, lang in enumerate(sorted({*train, *(heldout or {})})):
        evidence = {"train": train.get(lang, []), "heldout": (heldout or {}).get(lang, [])}
        for split, lengths in evidence.items():
            size = -(-len(lengths) // files)
            for part in range(files if lengths else 0):
                first = part * size
                listed.append(
                    _shard(
                        storage,
                        lang,
                        number,
                        split,
                        part,
                        first,
                        lengths[first : first + size],
                        batch,
                        token_schema(vocabulary, attributes=attributes),
                    )
                )
        languages[lang] = LanguageEvidence(
            documents=len(evidence["train"]),
            heldout_documents=len(evidence["heldout"]),
            tokens={"spm": sum(evidence["train"])},
        )
    kept = {lang: e.documents + e.heldout_documents for lang, e in languages.items()}
    snapshot = Snapshot(
        number=1,
        made_by="tokenize",
        languages=languages,
        mixtures={},
        mixture="proportional",
        ledger=Ledger(read=sum(kept.values()), kept=kept, rejected={}, unreadable={}),
        tokenizers={"spm": {"vocabulary": vocabulary, "special": SPECIAL, "fingerprint": "made-up"}},
        files=[file for file in listed if file.rows],
    )
    commit(storage, snapshot, {})
    return storage.url


def document(number: int, index: int, length: int) -> list[int]:
    """The tokens of a document."""
    return [*(10 + (number * 1009 + index * 31 + np.arange(length - 1)) % 60000).tolist(), SPECIAL["eos"]]


def _shard(
    storage: Storage,
    lang: str,
    number: int,
    split: str,
    part: int,
    first: int,
    lengths: Sequence[int],
    batch: int,
    schema: pa.Schema,
) -> ShardFile:
    name = f"tokens/spm/{lang}/000001-{split}-{part:05d}.arrow"
    with storage.create(name) as path, ShardWriter(path, schema) as writer:
        for start in range(0, len(lengths), batch):
            some = lengths[start : start + batch]
            texts = [document(number, first + start + i, length) for i, length in enumerate(some)]
            indices = range(first + start, first + start + len(some))
            scores = [index / 1000 for index in indices]
            columns = {
                "id": [f"{number:08x}{index:024x}" for index in indices],
                "tokens": texts,
                "bytes": [3 * length for length in some],
                "copies": [index + 1 for index in indices],
                "synthetic": [index % 2 == 1 for index in indices],
                "difficulty": scores,
                "diversity": scores,
            }
            arrays = [pa.array(columns[field.name], type=field.type) for field in schema]
            writer.write(pa.RecordBatch.from_arrays(arrays, schema=schema))
    runs = tuple(sum(lengths[start : start + 1024]) for start in range(0, len(lengths), 1024))
    return ShardFile(
        path=name,
        kind="tokens",
        lang=lang,
        split=split,
        tokenizer="spm",
        rows=len(lengths),
        hash=f"{len(lengths)}",
        run_tokens=runs if batch == 1024 else None,
    )
