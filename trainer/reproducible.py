"""Settings under which the same seed gives the same numbers on one machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils import deterministic as flags

# The flag is a property that torch sets up at run time; its type stubs do not know it.
deterministic: Any = flags


@contextmanager
def reproducible(threads: int) -> Iterator[None]:
    """Fix the number of CPU threads and take deterministic kernels; what was set before comes back at the end.

    The number of threads divides the work and so decides in which order sums are rounded. A kernel without a
    deterministic form (some on GPUs) warns and is used all the same.
    """
    before = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        deterministic.fill_uninitialized_memory,
    )
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Filling fresh memory would only matter to code that reads what it has not written, and costs time.
    deterministic.fill_uninitialized_memory = False
    # cuBLAS reads this when it is first used; without it its products may differ from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1], warn_only=before[2])
        deterministic.fill_uninitialized_memory = before[3]
