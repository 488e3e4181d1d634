"""What every library looks like to the driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

BATCH = 32
"""Documents or rows in a batch."""
ROW = 1024
"""Tokens in a row."""
SEED = 0


def nothing() -> None:
    """What there is to close for most libraries."""


@dataclass
class Loader:
    """An open data loader."""

    batches: Iterator[Any]
    """Batches without end: a list of B arrays of different lengths (documents), or one array of B rows, [B, L]."""
    state: Callable[[], Any]
    """What to go on from, after the batches taken so far."""
    close: Callable[[], None] = nothing
    """End its workers."""
