"""What belongs to one run alone, kept apart from the snapshot: time, processor time, memory, machine."""

from __future__ import annotations

import os
import platform
import resource
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any


def cpu_seconds() -> float:
    """User and system time of this process and of the children it has waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def peak_memory() -> int:
    """Largest resident set of this process so far, in bytes.

    Of worker processes each has to say its own: what the system keeps of children counts a child's moment between
    fork and exec, when it is as large as its parent.
    """
    try:
        with Path("/proc/self/status").open(encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@dataclass(frozen=True)
class Clock:
    """Started when a run begins."""

    wall: float = field(default_factory=time.monotonic)
    cpu: float = field(default_factory=cpu_seconds)

    def elapsed(self) -> dict[str, float]:
        """Wall and processor seconds since the start."""
        return {
            "wall_seconds": round(time.monotonic() - self.wall, 3),
            "cpu_seconds": round(cpu_seconds() - self.cpu, 3),
        }


def run_account(clock: Clock, workers: int, worker_memory: int = 0) -> dict[str, Any]:
    """The part of ``runs/<n>.json`` that every run has.

    Args:
        clock: started with the run.
        workers: processes asked for.
        worker_memory: largest resident set of a worker process, in bytes; 0 where this process did the work.
    """
    own = peak_memory()
    return {
        **clock.elapsed(),
        "peak_memory_bytes": max(own, worker_memory),
        "driver_memory_bytes": own,
        "worker_memory_bytes": worker_memory or own,
        "workers": workers,
        "evenglot_version": version("evenglot"),
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
        },
    }
