from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from corpus.errors import CorpusError
from corpus.hashing import record_id
from corpus.ledger import Ledger
from corpus.manifest import ShardFile, Snapshot, read_snapshot
from corpus.schema import REJECTED_SCHEMA
from corpus.shards import ShardWriter, conform
from corpus.storage import Storage
from evenglot.inspect.documents import find_document, rejected_samples, text_samples, unreadable_records


@pytest.fixture
def opened(corpus: Path) -> tuple[Storage, Snapshot]:
    return Storage(corpus), read_snapshot(str(corpus))


def test_samples_are_the_same_every_time_and_grow_from_the_same_start(opened: tuple[Storage, Snapshot]) -> None:
    first = [row["id"] for row in text_samples(*opened, lang="eng_Latn", count=4)]
    assert first == [row["id"] for row in text_samples(*opened, lang="eng_Latn", count=4)]
    assert first == [row["id"] for row in text_samples(*opened, lang="eng_Latn", count=8)][:4]
    assert first != [row["id"] for row in text_samples(*opened, lang="eng_Latn", count=4, seed=1)]
    assert len({row["id"] for row in text_samples(*opened, lang="eng_Latn", count=100)}) == 12


def test_samples_of_one_language_or_all(opened: tuple[Storage, Snapshot]) -> None:
    assert [row["text"] for row in text_samples(*opened, lang="heb_Hebr", count=5)] == [
        "שלום עולם, זה מסמך קצר בעברית."
    ]
    assert {row["lang"] for row in text_samples(*opened, lang=None, count=15)} == {"eng_Latn", "swh_Latn", "heb_Hebr"}


@pytest.mark.parametrize(
    ("lang", "reason", "keys"),
    [
        (None, None, {"copy", "short"}),
        ("eng_Latn", None, {"copy"}),
        ("und", None, {"short"}),
        (None, "too_short", {"short"}),
        (None, "filter", {"short"}),
        (None, "deduplicate/exact", {"copy"}),
        ("eng_Latn", "too_short", set()),
    ],
)
def test_rejected_by_language_and_reason(
    opened: tuple[Storage, Snapshot], lang: str | None, reason: str | None, keys: set[str]
) -> None:
    assert {row["key"] for row in rejected_samples(*opened, lang=lang, reason=reason, count=9)} == keys


def test_rejected_documents_that_share_an_id_come_in_the_order_of_their_places(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    rows = [
        {"id": record_id("made", "one"), "text": text, "source": "made", "file": "a.jsonl", "offset": offset,
         "stage": "deduplicate", "reason": "repeated_id"}
        for offset, text in enumerate(("first", "second", "third"))
    ]  # fmt: skip
    plain = pa.schema([pa.field(name, pa.int64() if name == "offset" else pa.string()) for name in rows[0]])
    name = "rejected/000001-00000.arrow"
    with storage.create(name) as path, ShardWriter(path, REJECTED_SCHEMA) as writer:
        writer.write(conform(pa.RecordBatch.from_pylist(rows, schema=plain), REJECTED_SCHEMA))
    snapshot = Snapshot(
        number=1,
        made_by="prepare",
        languages={},
        mixtures={},
        mixture="unimax",
        ledger=Ledger(read=3, kept={}, rejected={"deduplicate/repeated_id": {"und": 3}}, unreadable={}),
        files=[ShardFile(path=name, kind="rejected", rows=3)],
    )
    for count, texts in ((9, ["first", "second", "third"]), (2, ["first", "second"])):
        found = rejected_samples(storage, snapshot, lang=None, reason=None, count=count)
        assert [row["text"] for row in found] == texts


def test_an_unknown_reason_names_the_ones_there_are(opened: tuple[Storage, Snapshot]) -> None:
    with pytest.raises(CorpusError, match=r"'long'.*deduplicate/exact, filter/too_short"):
        rejected_samples(*opened, lang=None, reason="long", count=1)


def test_unreadable_records_keep_their_bytes(opened: tuple[Storage, Snapshot]) -> None:
    (record,) = unreadable_records(*opened, count=5)
    assert (record.file, record.line, record.reason, record.raw) == ("a.jsonl", 17, "invalid_json", b'{"text": "\xff')


def test_a_kept_document_knows_its_duplicates(opened: tuple[Storage, Snapshot]) -> None:
    original, copy = record_id("made", "eng_Latn0"), record_id("made", "copy")
    found = find_document(*opened, original[:12])
    assert found["kept"]
    assert found["duplicates"] == [copy]
    rejected = find_document(*opened, copy.upper())
    assert not rejected["kept"]
    assert (rejected["stage"], rejected["reason"]) == ("deduplicate", "exact")
    assert rejected["duplicate_of_document"]["id"] == original


def test_an_id_that_is_missing_or_not_enough(opened: tuple[Storage, Snapshot]) -> None:
    with pytest.raises(CorpusError, match="no document has an id that begins with 'zz'"):
        find_document(*opened, "zz")
    with pytest.raises(CorpusError, match="17 documents have ids that begin with ''"):
        find_document(*opened, "")
