from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import CorpusError
from corpus.hashing import record_id
from corpus.manifest import Snapshot, read_snapshot
from corpus.storage import Storage
from evenglot.inspect.documents import find_document, unreadable_records


@pytest.fixture
def opened(corpus: Path) -> tuple[Storage, Snapshot]:
    return Storage(corpus), read_snapshot(str(corpus))


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
