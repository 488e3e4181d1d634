"""CPU seconds of a process tree."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.sampler_peers import clock

BURN = "import time\nwhile time.process_time() < 0.4: pass\nprint('burnt', flush=True)\ninput()"


def test_the_time_of_children_counts_while_they_run_and_after():
    before = clock.cpu_seconds()
    child = subprocess.Popen([sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "burnt\n"

    running = clock.cpu_seconds() - before
    assert child.pid in clock.descendants(os.getpid())
    child.communicate("\n")
    ended = clock.cpu_seconds() - before

    assert running >= 0.35
    assert ended >= running - 0.02
    assert child.pid not in clock.descendants(os.getpid())


def test_memory_is_told_by_kind():
    found = clock.memory_bytes()

    assert found["resident"] >= found["anonymous"] > 1 << 20
    assert found["files"] > 0
