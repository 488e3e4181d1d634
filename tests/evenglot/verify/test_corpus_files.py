from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from corpus.errors import CorpusError
from corpus.hashing import file_hash
from corpus.schema import RECORD_SCHEMA
from corpus.shards import ShardWriter, read_table
from evenglot.verify.corpus_files import verify_corpus

SNAPSHOT = "snapshots/000001.json"
ENGLISH = "text/eng_Latn/000001-train-00000.arrow"


def edit_snapshot(corpus: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    path = corpus / SNAPSHOT
    snapshot = json.loads(path.read_text())
    edit(snapshot)
    path.write_text(json.dumps(snapshot))


def entry(snapshot: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(file for file in snapshot["files"] if file["path"] == name)
    return found


def test_a_whole_corpus_passes(corpus: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    report = verify_corpus(str(corpus), progress=lambda *step: seen.append(step))
    assert report.ok
    assert report.files == 5
    assert {check.name: check.passed for check in report.checks} == {
        "present": 5,
        "hash": 5,
        "rows": 5,
        "schema": 4,
        "contents": 4,
        "ledger": 1,
    }
    assert seen[-1] == ("files", 5, 5)


def test_a_missing_file_is_damage(corpus: Path) -> None:
    (corpus / ENGLISH).unlink()
    assert verify_corpus(str(corpus)).problems == [f"{ENGLISH} is missing"]


def test_one_flipped_byte_is_damage(corpus: Path) -> None:
    data = bytearray((corpus / ENGLISH).read_bytes())
    data[len(data) // 2] ^= 1
    (corpus / ENGLISH).write_bytes(data)
    (problem,) = verify_corpus(str(corpus)).problems
    assert problem.startswith(f"{ENGLISH} has hash ")


def test_a_truncated_file_is_damage(corpus: Path) -> None:
    data = (corpus / ENGLISH).read_bytes()
    (corpus / ENGLISH).write_bytes(data[:-100])
    (problem,) = verify_corpus(str(corpus)).problems
    assert problem == f"{ENGLISH} has {len(data) - 100:,} bytes, the snapshot says {len(data):,}"


def test_a_file_that_is_no_shard_is_damage_even_with_the_right_hash(corpus: Path) -> None:
    (corpus / ENGLISH).write_bytes(b"no arrow")
    edit_snapshot(corpus, lambda snapshot: entry(snapshot, ENGLISH).update(size=8, hash=file_hash(corpus / ENGLISH)))
    (problem,) = verify_corpus(str(corpus)).problems
    assert problem.startswith(f"{ENGLISH}: cannot read shard")


@pytest.mark.parametrize(("column", "problems"), [("provenance", 0), ("copies", 1)])
def test_a_shard_of_an_older_version_may_lack_later_columns_alone(corpus: Path, column: str, problems: int) -> None:
    older = pa.schema([field for field in RECORD_SCHEMA if field.name != column])
    batches = [batch.drop_columns([column]) for batch in read_table(corpus / ENGLISH).to_batches()]
    with ShardWriter(corpus / ENGLISH, older) as writer:
        for batch in batches:
            writer.write(batch)
    size, digest = (corpus / ENGLISH).stat().st_size, file_hash(corpus / ENGLISH)
    edit_snapshot(corpus, lambda snapshot: entry(snapshot, ENGLISH).update(size=size, hash=digest))
    said = [f"{ENGLISH} lacks the column '{column}'"] * problems
    assert [problem for problem in verify_corpus(str(corpus)).problems if "lacks" in problem] == said


def test_wrong_rows_and_wrong_language_are_damage(corpus: Path) -> None:
    edit_snapshot(corpus, lambda snapshot: entry(snapshot, ENGLISH).update(rows=13, lang="fra_Latn"))
    assert sorted(verify_corpus(str(corpus)).problems) == [
        f"{ENGLISH} has 12 rows, the snapshot says 13",
        f"{ENGLISH} is of fra_Latn but holds eng_Latn",
    ]


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda ledger: ledger.update(read=19), "1 lost"),
        (
            lambda ledger: ledger["kept"].update(eng_Latn=11, swh_Latn=3),
            "ledger says 11 documents of eng_Latn were kept, the files hold 12",
        ),
        (
            lambda ledger: ledger.update(rejected={"filter/too_short": {"und": 2}}),
            "ledger says 2 records of und were rejected for filter/too_short, the files hold 1",
        ),
        (
            lambda ledger: ledger.update(unreadable={"bad_utf8": 1}),
            "ledger says 1 records were unreadable for bad_utf8, the files hold 0",
        ),
    ],
)
def test_a_ledger_that_differs_from_the_files_is_damage(
    corpus: Path, edit: Callable[[dict[str, Any]], None], problem: str
) -> None:
    edit_snapshot(corpus, lambda snapshot: edit(snapshot["ledger"]))
    problems = verify_corpus(str(corpus)).problems
    assert any(problem in found for found in problems)


def test_leftovers_are_reported_and_harmless(corpus: Path) -> None:
    (corpus / "text/eng_Latn/000002-train-00000.arrow").write_bytes(b"left by a run that died")
    report = verify_corpus(str(corpus))
    assert report.ok
    assert report.orphans == ("text/eng_Latn/000002-train-00000.arrow",)


def test_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no corpus"):
        verify_corpus(str(tmp_path / "nothing"))
