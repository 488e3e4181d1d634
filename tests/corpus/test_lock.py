from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

import corpus.lock
from corpus.errors import CorpusError, EvenglotError
from corpus.lock import LEASE_SECONDS, LEASES, Lease, exclusive, leased
from corpus.storage import Storage


def test_second_writer_is_told_to_wait_and_the_lock_ends_with_the_block(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "corpus")
    with (
        exclusive(storage),
        pytest.raises(CorpusError, match=r"another run is writing to .*corpus\. Wait for it to end"),
        exclusive(storage),
    ):
        pass
    with exclusive(storage):
        pass


def test_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from corpus.lock import exclusive\n"
        "from corpus.storage import Storage\n"
        "with exclusive(Storage(sys.argv[1])):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert killed.returncode == -9
    with exclusive(Storage(tmp_path)):
        pass


def test_file_where_the_corpus_should_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(EvenglotError, match="a file is where a folder should be"),
        exclusive(Storage(tmp_path / "file")),
    ):
        pass


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Storage:
    return Storage(f"memory://lock-test/{request.node.name}")


def lease(store: Storage, name: str, **changes: object) -> None:
    """The lease of another run, on another machine unless the changes say otherwise."""
    fields = {"host": "elsewhere", "process": 1, "renewed": time.time(), **changes}
    store.write_bytes(f"{LEASES}/{name}.json", json.dumps(fields).encode())


def test_second_writer_to_an_object_store_is_told_who_writes(store: Storage) -> None:
    with exclusive(store):
        assert len(store.list(LEASES)) == 1
        with (
            pytest.raises(CorpusError, match=rf"another run is writing to .*: process {os.getpid()} on "),
            exclusive(store),
        ):
            pass
        assert len(store.list(LEASES)) == 1, "the one that was refused leaves none"
    with exclusive(store) as confirm:
        confirm()
    assert store.list(LEASES) == []


def test_lease_of_another_machine_holds_until_it_is_not_renewed(store: Storage) -> None:
    lease(store, "other", renewed=time.time() - LEASE_SECONDS + 60)
    with pytest.raises(CorpusError, match=r"process 1 on elsewhere.*wait 1 minutes or remove .*/leases/other\.json"):
        exclusive(store).__enter__()
    lease(store, "other", renewed=time.time() - LEASE_SECONDS - 1)
    with exclusive(store):
        assert len(store.list(LEASES)) == 1, "the dead one is removed"


def test_lease_of_a_process_killed_on_this_machine_does_not_hold(store: Storage) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    lease(store, "killed", host=socket.gethostname(), process=ended.pid)
    with exclusive(store):
        assert len(store.list(LEASES)) == 1


def test_of_two_that_start_at_once_never_both_write(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other's lease appears after ours was written and before we look."""
    write = Storage.write_bytes

    def racing(self: Storage, name: str, data: bytes) -> None:
        write(self, name, data)
        write(self, f"{LEASES}/other.json", json.dumps(asdict(Lease("elsewhere", 1, time.time()))).encode())

    monkeypatch.setattr(Storage, "write_bytes", racing)
    with pytest.raises(CorpusError, match="another run is writing"):
        exclusive(store).__enter__()
    assert store.list(LEASES) == ["other.json"]


def test_lease_is_renewed_and_a_run_cut_off_for_long_does_not_commit(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with leased(store, renew=0.01) as confirm:
        (name,) = store.list(LEASES)
        first = json.loads(store.read_bytes(f"{LEASES}/{name}"))["renewed"]
        deadline = time.monotonic() + 10
        while json.loads(store.read_bytes(f"{LEASES}/{name}"))["renewed"] == first:
            assert time.monotonic() < deadline
            time.sleep(0.01)

        def unreachable(self: Storage, name: str, data: bytes) -> None:
            raise OSError("the store is out of reach")

        monkeypatch.setattr(Storage, "write_bytes", unreachable)
        confirm()
        time.sleep(0.1)
        now = time.time() + LEASE_SECONDS
        monkeypatch.setattr(corpus.lock.time, "time", lambda: now)
        with pytest.raises(CorpusError, match="could not be renewed for 10 minutes"):
            confirm()
