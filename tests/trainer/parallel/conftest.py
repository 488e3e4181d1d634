"""The tiny corpus with parallel text beside it, as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from corpus.hashing import file_hash, record_id
from corpus.ledger import Ledger
from corpus.manifest import ShardFile, commit, read_snapshot
from corpus.parallel import ParallelText, parallel_schema
from corpus.shards import ShardWriter
from corpus.storage import Storage

SUBJECTS = {
    "ell_Grek": ("η γάτα", "ο σκύλος", "η βροχή", "το σπίτι"),
    "eng_Latn": ("the cat", "the dog", "the rain", "the house"),
    "swh_Latn": ("paka", "mbwa", "mvua", "nyumba"),
}
ENDS = {
    "ell_Grek": ("κάθισε", "έτρεξε", "έπεσε"),
    "eng_Latn": ("sat", "ran", "fell"),
    "swh_Latn": ("alikaa", "alikimbia", "alianguka"),
}

Group = dict[str, str]


def groups(first: int, count: int) -> list[Group]:
    """Groups of three sentences each; every fifth has no Greek one."""
    return [
        {
            lang: f"{SUBJECTS[lang][number % 4]} {ENDS[lang][number % 3]} {number}"
            for lang in SUBJECTS
            if lang != "ell_Grek" or number % 5
        }
        for number in range(first, first + count)
    ]


def write_groups(storage: Storage, split: str, listed: Sequence[Group]) -> ShardFile:
    """A parallel shard of the tokenizer ``bytes``."""
    schema = parallel_schema(261)
    rows: list[dict[str, Any]] = [
        {
            "id": record_id("tales", f"{split}{number}"),
            "source": "tales",
            "langs": sorted(group),
            "tokens": [[*(5 + byte for byte in group[lang].encode()), 3] for lang in sorted(group)],
            "bytes": [len(group[lang].encode()) for lang in sorted(group)],
        }
        for number, group in enumerate(listed)
    ]
    name = f"parallel/bytes/tales-{split}.arrow"
    columns = {
        field.name: pa.array(
            [row[field.name] for row in rows],
            field.type.value_type if pa.types.is_dictionary(field.type) else field.type,
        )
        for field in schema
    }
    with storage.create(name) as path:
        with ShardWriter(path, schema) as writer:
            writer.write(pa.RecordBatch.from_pydict(columns))
        size, digest = path.stat().st_size, file_hash(path)
    return ShardFile(path=name, kind="parallel", split=split, tokenizer="bytes", rows=len(rows), size=size, hash=digest)


@pytest.fixture(scope="session")
def parallel_corpus(tmp_path_factory: pytest.TempPathFactory, build_corpus: Any) -> str:
    """English 60, Swahili 20, Greek 5 training documents, 30 training groups and 20 held-out ones."""
    root: str = build_corpus(
        Path(tmp_path_factory.mktemp("parallel")) / "corpus", {"eng_Latn": 60, "swh_Latn": 20, "ell_Grek": 5}
    )
    storage = Storage(root)
    files = [write_groups(storage, "train", groups(0, 30)), write_groups(storage, "heldout", groups(30, 20))]
    parent = read_snapshot(storage)
    text = ParallelText(
        fingerprint="0" * 32,
        ledger=Ledger(read=0, kept={}, rejected={}, unreadable={}),
        groups={"train": 30, "heldout": 20},
        tokens={},
        pairs={},
    )
    update = {"number": 2, "parent": 1, "parallel": {"bytes": text}, "files": [*parent.files, *files]}
    commit(storage, parent.model_copy(update=update), {})
    return root
