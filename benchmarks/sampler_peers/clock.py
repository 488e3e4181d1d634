"""CPU seconds and memory of a process and everything it started, as Linux counts them."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds() -> float:
    """CPU seconds of this process, all its threads and all its descendants so far, those that ended included."""
    return time.process_time() + _reaped(os.getpid()) + sum(_whole(process) for process in descendants(os.getpid()))


def descendants(root: int) -> list[int]:
    """Processes that a process started, directly or not, and that still run."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _fields(int(entry.name))
            if fields:
                children[int(fields[1])].append(int(entry.name))
    found, open_ = [], [root]
    while open_:
        below = children[open_.pop()]
        found += below
        open_ += below
    return found


def memory_bytes() -> dict[str, int]:
    """Resident memory of this process: all of it, the anonymous part, and mapped files (page cache)."""
    names = {"VmRSS": "resident", "RssAnon": "anonymous", "RssFile": "files"}
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    known = dict(line.split(":", 1) for line in lines if ":" in line)
    return {mine: int(known[name].split()[0]) * 1024 for name, mine in names.items()}


def _fields(process: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on; none when the process has ended."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _whole(process: int) -> float:
    fields = _fields(process)
    return sum(int(value) for value in fields[11:15]) / _TICKS if fields else 0.0


def _reaped(process: int) -> float:
    return sum(int(value) for value in _fields(process)[13:15]) / _TICKS
