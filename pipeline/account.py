"""What belongs to one run alone, kept apart from the snapshot: time, processor time, memory, machine."""

from __future__ import annotations

import os
import platform
import resource
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any


def cpu_seconds() -> float:
    """User and system time of this process and of the children it has waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def peak_memory() -> int:
    """Largest resident set of this process or of one of its children, in bytes."""
    return max(memory_of(resource.RUSAGE_SELF), memory_of(resource.RUSAGE_CHILDREN))


def memory_of(who: int) -> int:
    """Largest resident set in bytes: of this process (``RUSAGE_SELF``) or of its largest child."""
    return resource.getrusage(who).ru_maxrss * 1024


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


def run_account(clock: Clock, workers: int) -> dict[str, Any]:
    """The part of ``runs/<n>.json`` that every run has."""
    return {
        **clock.elapsed(),
        "peak_memory_bytes": peak_memory(),
        "driver_memory_bytes": memory_of(resource.RUSAGE_SELF),
        "worker_memory_bytes": memory_of(resource.RUSAGE_CHILDREN if workers > 1 else resource.RUSAGE_SELF),
        "workers": workers,
        "evenglot_version": version("evenglot"),
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
        },
    }
