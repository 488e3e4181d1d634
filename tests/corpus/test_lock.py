from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from corpus.errors import CorpusError, EvenglotError
from corpus.lock import exclusive
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


def test_object_stores_have_no_lock() -> None:
    storage = Storage("memory://lock-test")
    with exclusive(storage), exclusive(storage):
        assert not storage.exists(".work/lock")
