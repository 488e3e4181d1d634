"""What the report quotes of the synthetic layer, read from shards."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.augmentation import Augmentation
from corpus.ledger import Ledger
from corpus.manifest import ShardFile, Snapshot
from corpus.schema import RECORD_SCHEMA, REJECTED_SCHEMA
from corpus.shards import ShardWriter, conform
from corpus.storage import Storage
from evenglot.report.config import ReportConfig
from evenglot.report.made import MadeFacts, load_made

HOW = {
    "method": "back_translation",
    "models": ["pivot@1", "back@2"],
    "scores": {"score": -0.5},
    "dropped": {"copied": 2},
}


@pytest.fixture
def corpus(tmp_path: Path) -> tuple[Storage, Snapshot]:
    storage = Storage(tmp_path)
    common = {"source": "demo", "copies": 1, "split": "train", "weight": 1.0}
    rows = [
        {"id": "a" * 32, "text": "The roof of the school leaks.", "lang": "eng_Latn", "origin": "natural", **common},
        {"id": "b" * 32, "text": "Die dak van die skool lek.", "lang": "afr_Latn", "origin": "back_translation",
         "parent": "a" * 32, "generator": "pivot@1 > back@2", "provenance": json.dumps(HOW), **common},
    ]  # fmt: skip
    lost = [
        {"id": "c" * 32, "text": "Die die die.", "lang": "afr_Latn", "parent": "d" * 32, "provenance": json.dumps(HOW),
         "source": "demo", "file": "x.arrow", "offset": 0, "stage": "gates", "reason": "repetition"},
    ]  # fmt: skip
    files = []
    for name, some, schema, kind in (
        ("text/000001.arrow", rows, RECORD_SCHEMA, "text"),
        ("rejected/000001.arrow", lost, REJECTED_SCHEMA, "rejected"),
    ):
        plain = pa.schema(
            [pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in schema]
        )
        with storage.create(name) as path, ShardWriter(path, schema) as writer:
            writer.write(conform(pa.RecordBatch.from_pylist(some, schema=plain), schema))
        files.append(ShardFile(path=name, kind=kind, rows=len(some)))  # type: ignore[arg-type]
    snapshot = Snapshot(
        number=1, made_by="augment", mixtures={}, mixture="unimax", files=files, languages={},
        ledger=Ledger(read=0, kept={}, rejected={}, unreadable={}), augmentation=Augmentation(fingerprint="f"),
    )  # fmt: skip
    return storage, snapshot


def test_samples_with_their_parents(corpus: tuple[Storage, Snapshot]) -> None:
    problems: list[str] = []
    found = load_made(*corpus, ReportConfig(sample_characters=20), problems)
    (kept,) = found.kept
    assert (kept.text, kept.cut, kept.parent_text, kept.parent_cut) == (
        "Die dak van die skoo", True, "The roof of the scho", True,
    )  # fmt: skip
    assert (kept.generator, kept.scores, kept.dropped, kept.parent_lang) == (
        "pivot@1 > back@2", {"score": -0.5}, 2, "eng_Latn",
    )  # fmt: skip
    (lost,) = found.rejected
    assert (lost.stage, lost.reason, lost.generator) == ("gates", "repetition", "pivot@1 > back@2")
    assert (lost.parent, lost.parent_text) == ("d" * 32, "")
    assert problems == []


def test_none_without_a_layer_or_on_request(corpus: tuple[Storage, Snapshot]) -> None:
    storage, snapshot = corpus
    assert load_made(storage, snapshot.model_copy(update={"augmentation": None}), ReportConfig(), []) == MadeFacts()
    assert load_made(storage, snapshot, ReportConfig(samples_synthetic=0), []) == MadeFacts()


def test_a_lost_shard_is_named_and_left_out(corpus: tuple[Storage, Snapshot]) -> None:
    storage, snapshot = corpus
    Path(storage.path("text/000001.arrow")).unlink()
    problems: list[str] = []
    assert load_made(storage, snapshot, ReportConfig(), problems) == MadeFacts()
    assert len(problems) == 1
    assert "synthetic documents could not be read" in problems[0]
