"""Synthetic rows where they should not be, or more of them than is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from corpus.augmentation import Augmentation, LanguageAugmentation
from corpus.hashing import file_hash
from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot
from corpus.schema import RECORD_SCHEMA
from corpus.shards import ShardWriter
from corpus.storage import Storage
from evenglot.verify.synthetic import synthetic_problems

NATURAL, MADE = "text/swh_Latn/000001-train-00000.arrow", "text/swh_Latn/000002-train-00000.arrow"
ROW: dict[str, Any] = {
    "id": "n1", "text": "habari", "lang": "swh_Latn", "source": "web", "origin": "natural", "copies": 1,
    "split": "train", "weight": 1.0,
}  # fmt: skip
SYNTHETIC = {**ROW, "id": "s1", "text": "habari ya leo", "origin": "back_translation", "parent": "n1"}


def problems(tmp_path: Path, natural: list[dict[str, Any]], made: list[dict[str, Any]], **changes: Any) -> list[str]:
    storage, files = Storage(tmp_path), []
    for name, rows in ((NATURAL, natural), (MADE, made)):
        with storage.create(name) as path:
            with ShardWriter(path, RECORD_SCHEMA) as writer:
                writer.write(pa.RecordBatch.from_pylist(rows))
            size, digest = path.stat().st_size, file_hash(path)
        files.append(
            ShardFile(path=name, kind="text", lang="swh_Latn", split="train", rows=len(rows), size=size, hash=digest)
        )
    budget = changes.pop("budget", 100)
    evidence = LanguageEvidence(**{"documents": 2, "synthetic_documents": 1, "synthetic_bytes": 13, **changes})
    augmentation = Augmentation(
        fingerprint="f", shards=(MADE,), languages={"swh_Latn": LanguageAugmentation(budget=budget)}
    )
    snapshot = Snapshot(
        number=2, made_by="augment", languages={"swh_Latn": evidence}, mixtures={}, mixture="proportional",
        ledger=Ledger(read=2, kept={"swh_Latn": 2}, rejected={}, unreadable={}), files=files, augmentation=augmentation,
    )  # fmt: skip
    return list(synthetic_problems(storage, snapshot))


def test_a_layer_as_it_should_be(tmp_path: Path) -> None:
    assert problems(tmp_path, [ROW], [SYNTHETIC]) == []


WRONG: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = [
    ({"origin": "paraphrase"}, {}, {}, f"{NATURAL} holds 1 synthetic documents, but is not named as a shard of such"),
    ({}, {"origin": "natural"}, {}, f"{MADE} is named as synthetic, but holds 1 natural documents"),
    ({}, {"split": "heldout"}, {}, f"{MADE} holds synthetic documents that are not of the training split"),
    ({}, {"parent": "n2"}, {}, f"{MADE}: the parent of s1 is no natural training document of this snapshot"),
    (
        {},
        {},
        {"synthetic_bytes": 12},
        "the snapshot counts 1 synthetic documents and 12 bytes of swh_Latn, the files hold 1 and 13",
    ),
    ({}, {}, {"budget": 12}, "swh_Latn has 13 synthetic bytes, its budget is 12"),
]


@pytest.mark.parametrize(("natural", "made", "changes", "said"), WRONG)
def test_what_is_wrong_is_said(
    tmp_path: Path, natural: dict[str, Any], made: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    assert said in problems(tmp_path, [{**ROW, **natural}], [{**SYNTHETIC, **made}], **changes)
