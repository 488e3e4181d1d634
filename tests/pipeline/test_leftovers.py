"""What interrupted runs leave, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.storage import Storage
from pipeline.leftovers import Unfinished, remove_partial, unfinished


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_unfinished_work_of_others_is_listed_with_its_size(kind: str, tmp_path: Path) -> None:
    corpus = Storage(tmp_path if kind == "local" else "memory://leftovers-test")
    corpus.write_bytes(".work/0123456789abcdef/staged/a.arrow", b"x" * 30)
    corpus.write_bytes(".work/0123456789abcdef/match/a.arrow", b"x" * 12)
    corpus.write_bytes(".work/fedcba9876543210/staged/b.json", b"{}")
    corpus.write_bytes(".work/leases/somebody.json", b"{}")
    corpus.write_bytes(".work/lock", b"")
    assert unfinished(corpus, "fedcba9876543210") == [Unfinished(".work/0123456789abcdef", 42)]
    assert [work.name for work in unfinished(corpus, "")] == [".work/0123456789abcdef", ".work/fedcba9876543210"]
    assert unfinished(Storage(tmp_path / "nowhere"), "") == []


def test_half_written_shards_are_removed_and_nothing_else(tmp_path: Path) -> None:
    corpus = Storage(tmp_path)
    corpus.write_bytes("text/eng_Latn/000001-train-00000.arrow", b"whole")
    corpus.write_bytes("text/eng_Latn/.000001-train-00001.arrow.4711.part", b"half")
    corpus.write_bytes("rejected/.000001-00000.arrow.4711.part.4711.part", b"half")
    corpus.write_bytes("tokens/.not-ours.part", b"of a run of tokenize, perhaps")
    assert remove_partial(corpus) == 2
    assert remove_partial(corpus) == 0
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["text/eng_Latn/000001-train-00000.arrow", "tokens/.not-ours.part"]
