from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from corpus.errors import CorpusError, LedgerError
from corpus.ledger import Ledger
from corpus.manifest import MANIFEST, LanguageEvidence, ShardFile, Snapshot, commit, current_number, read_snapshot
from corpus.storage import Storage

FILES = [
    ShardFile(path="text/swh_Latn/000001-train-00001.arrow", kind="text", lang="swh_Latn", split="train"),
    ShardFile(path="text/eng_Latn/000001-train-00000.arrow", kind="text", lang="eng_Latn", split="train"),
    ShardFile(path="text/swh_Latn/000001-heldout-00000.arrow", kind="text", lang="swh_Latn", split="heldout"),
    ShardFile(path="tokens/t/swh_Latn/000001-train-00001.arrow", kind="tokens", lang="swh_Latn", tokenizer="t"),
    ShardFile(path="rejected/000001-00000.arrow", kind="rejected"),
]


def snapshot(number: int, parent: int | None, **changes: Any) -> Snapshot:
    values: dict[str, Any] = {
        "number": number,
        "parent": parent,
        "made_by": "prepare",
        "languages": {"swh_Latn": LanguageEvidence(documents=1, bytes=10)},
        "mixtures": {"proportional": {"swh_Latn": 1.0}},
        "mixture": "proportional",
        "ledger": Ledger(read=1, kept={"swh_Latn": 1}, rejected={}, unreadable={}),
        "files": FILES,
        **changes,
    }
    return Snapshot(**values)


@pytest.fixture(params=["local", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return Storage(tmp_path if request.param == "local" else f"memory://manifest-test/{request.node.originalname}")


def test_commit_makes_a_snapshot_current(storage: Storage) -> None:
    assert current_number(storage) is None
    first, second = snapshot(1, None), snapshot(2, 1, made_by="tokenize")
    commit(storage, first, {"wall_seconds": 1.5})
    assert current_number(storage) == 1
    assert read_snapshot(storage) == first
    commit(storage, second, {"wall_seconds": 0.5})
    assert read_snapshot(storage) == second
    assert read_snapshot(storage, 1) == first
    assert json.loads(storage.read_bytes("runs/000001.json")) == {"wall_seconds": 1.5}
    assert json.loads(storage.read_bytes(MANIFEST)) == {"current": 2, "format_version": 1}
    assert storage.list("snapshots") == ["000001.json", "000002.json"]


def test_a_corpus_can_be_read_by_its_path(tmp_path: Path) -> None:
    commit(Storage(tmp_path), snapshot(1, None), {})
    assert read_snapshot(str(tmp_path)).number == 1


def test_equal_snapshots_have_equal_bytes(tmp_path: Path) -> None:
    evidence = {"b": LanguageEvidence(bytes=1), "a": LanguageEvidence(bytes=2)}
    for name, languages in (("x", evidence), ("y", dict(reversed(evidence.items())))):
        commit(Storage(tmp_path / name), snapshot(1, None, languages=languages), {"clock": name})
    one, two = (tmp_path / name / "snapshots" / "000001.json" for name in "xy")
    assert one.read_bytes() == two.read_bytes()


def test_a_ledger_that_does_not_close_leaves_the_last_snapshot(storage: Storage) -> None:
    commit(storage, snapshot(1, None), {})
    leaking = Ledger(read=2, kept={"swh_Latn": 1}, rejected={}, unreadable={})
    with pytest.raises(LedgerError, match="1 lost"):
        commit(storage, snapshot(2, 1, ledger=leaking), {})
    assert current_number(storage) == 1
    assert storage.list("snapshots") == ["000001.json"]


def test_two_runs_at_once_do_not_overwrite_each_other(storage: Storage) -> None:
    commit(storage, snapshot(1, None), {})
    with pytest.raises(CorpusError, match="another run committed snapshot 1"):
        commit(storage, snapshot(1, None, mixture="other"), {})
    assert read_snapshot(storage).mixture == "proportional"


def test_a_run_that_dies_before_the_swap_leaves_the_last_snapshot(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    commit(storage, snapshot(1, None), {})
    # The second run is killed in the very moment in which it would swap the manifest.
    code = """
import os, signal, sys
from corpus.manifest import MANIFEST, commit, read_snapshot
from corpus.storage import Storage

class Dying(Storage):
    def write_bytes(self, name, data):
        if name == MANIFEST:
            os.kill(os.getpid(), signal.SIGKILL)
        super().write_bytes(name, data)

first = read_snapshot(sys.argv[1])
commit(Dying(sys.argv[1]), first.model_copy(update={"number": 2, "parent": 1}), {})
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env={**os.environ}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert current_number(storage) == 1
    assert read_snapshot(storage) == snapshot(1, None)
    commit(storage, snapshot(2, 1, mixture="again"), {})
    assert read_snapshot(storage).mixture == "again"


def test_what_is_missing_or_damaged_is_said(storage: Storage) -> None:
    with pytest.raises(CorpusError, match=r"holds no corpus \(no manifest.json\). Make one with `evenglot prepare"):
        read_snapshot(storage)
    commit(storage, snapshot(1, None), {})
    with pytest.raises(CorpusError, match="has no snapshot 7"):
        read_snapshot(storage, 7)
    storage.write_bytes("snapshots/000001.json", b'{"number": "x"}')
    with pytest.raises(CorpusError, match=r"000001.json is damaged: \d+ fields are wrong"):
        read_snapshot(storage)
    for damaged in (b"", b"{", b"[]", b"{}", b'{"format_version": 1}', b'{"format_version": 1, "current": "x"}'):
        storage.write_bytes(MANIFEST, damaged)
        with pytest.raises(CorpusError, match=r"manifest.json is damaged"):
            current_number(storage)


def test_a_newer_format_is_refused(storage: Storage) -> None:
    storage.write_bytes(MANIFEST, b'{"format_version": 2, "current": 1}')
    with pytest.raises(CorpusError, match=r"has corpus format 2, this evenglot reads up to 1. Upgrade evenglot"):
        read_snapshot(storage)


def test_select_narrows_and_orders() -> None:
    whole = snapshot(1, None)
    assert [file.path for file in whole.select("text")] == [
        "text/eng_Latn/000001-train-00000.arrow",
        "text/swh_Latn/000001-heldout-00000.arrow",
        "text/swh_Latn/000001-train-00001.arrow",
    ]
    assert [file.path for file in whole.select("text", lang="swh_Latn", split="train")] == [FILES[0].path]
    assert [file.path for file in whole.select("tokens", tokenizer="t")] == [FILES[3].path]
    assert whole.select("tokens", tokenizer="other") == []
    assert [file.path for file in whole.select("rejected")] == [FILES[4].path]


def test_a_snapshot_cannot_be_changed_or_misspelt() -> None:
    with pytest.raises(ValidationError):
        snapshot(1, None).number = 2  # type: ignore[misc]
    with pytest.raises(ValidationError):
        snapshot(1, None, langauges={})


def test_tokens_of_ten_thousand_runs_are_one_line_of_the_snapshot(tmp_path: Path) -> None:
    runs = tuple(range(10_000))
    shard = ShardFile(path="tokens/t/a.arrow", kind="tokens", tokenizer="t", rows=10_000 * 1024, run_tokens=runs)
    written = snapshot(1, None, files=[*FILES, shard])
    commit(Storage(tmp_path), written, {})
    assert read_snapshot(str(tmp_path)) == written
    lines = (tmp_path / "snapshots/000001.json").read_text().splitlines()
    assert [line.strip()[:22] for line in lines if "run_tokens" in line] == ['"run_tokens": null,'] * 5 + [
        '"run_tokens": "0 1 2 3'
    ]
    assert len(lines) < 200


def test_a_snapshot_of_an_older_version_has_no_runs_and_no_synthetic_tokens() -> None:
    old = snapshot(1, None).model_dump(mode="json")
    for file in old["files"]:
        del file["run_tokens"]
    del old["languages"]["swh_Latn"]["synthetic_tokens"]
    read = Snapshot.model_validate(old)
    assert [file.run_tokens for file in read.files] == [None] * 5
    assert read.languages["swh_Latn"].synthetic_tokens == {}


@pytest.mark.parametrize("runs", ["12 x", "3 -1", [1.5]])
def test_tokens_of_runs_are_whole_numbers(runs: Any) -> None:
    with pytest.raises(ValidationError, match="run_tokens"):
        ShardFile.model_validate({"path": "a", "kind": "tokens", "run_tokens": runs})
