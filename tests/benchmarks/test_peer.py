"""Modules run in another interpreter."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from benchmarks import peer

PYTHON = Path(sys.executable)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write a module that a peer's interpreter finds instead of the benchmarks."""
    monkeypatch.setattr(peer, "ROOT", tmp_path)

    def write(text: str) -> str:
        (tmp_path / "told.py").write_text(text, encoding="utf-8")
        return "told"

    return write


def test_the_last_line_is_the_answer(module):
    name = module("import sys, json\nprint('chatter')\nprint(json.dumps({'got': sys.argv[1:]}))")

    assert peer.ask(PYTHON, name, "a b", 3, Path("x/y")) == {"got": ["a b", "3", "x/y"]}


def test_a_peer_that_fails_says_why(module):
    name = module("raise ValueError('no such corpus')")

    with pytest.raises(peer.PeerFailed, match="ValueError: no such corpus"):
        peer.ask(PYTHON, name)


@pytest.mark.parametrize("text", ["", "print('done')"])
def test_a_peer_without_an_answer_has_failed(module, text):
    with pytest.raises(peer.PeerFailed, match="told gave no answer"):
        peer.ask(PYTHON, module(text))


def test_a_peer_that_hangs_is_ended_with_its_workers(module, tmp_path):
    name = module(
        "import subprocess, sys, time\n"
        f"worker = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'worker')!r}, 'w').write(str(worker.pid))\n"
        "time.sleep(60)"
    )

    with pytest.raises(peer.PeerFailed, match="within 2 s"):
        peer.ask(PYTHON, name, timeout=2)

    worker = int((tmp_path / "worker").read_text())
    for _ in range(100):
        if not running(worker):
            break
        time.sleep(0.05)
    assert not running(worker)


def running(process: int) -> bool:
    """Whether a process is alive; one that has ended but was not waited for is not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
