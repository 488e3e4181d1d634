"""Random windows of one flat file: no documents, languages, order or state. The most that a packed reader can reach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sampler_peers.corpora import Flat
from benchmarks.sampler_peers.loader import BATCH, ROW, SEED, Loader

DISTRIBUTION = "numpy"
ARMS = {"rows": "windows of 1,024 tokens from anywhere, as int64"}


def prepare(flat: Flat, folder: Path, arm: str) -> None:
    """The flat files are read as they are."""


def load(flat: Flat, folder: Path, arm: str, workers: int, state: Any = None) -> Loader:
    """Open it."""
    tokens = np.asarray(flat.tokens).view(np.ndarray)
    random = np.random.default_rng(SEED)

    def batches() -> Iterator[Any]:
        while True:
            batch = np.empty((BATCH, ROW), dtype=np.int64)
            for row, first in zip(batch, random.integers(len(tokens) - ROW, size=BATCH).tolist(), strict=True):
                row[:] = tokens[first : first + ROW]
            yield batch

    def no_state() -> Any:
        raise NotImplementedError("random windows keep no state")

    return Loader(batches(), no_state)
