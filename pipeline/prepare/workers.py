"""How many worker processes a run gets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from corpus.errors import ConfigurationError
from pipeline.sources import InputConfig, Split

_WORTH_WORKERS: Final = 64 << 20
"""Bytes of input, as they lie on disk, from which on starting worker processes pays."""


def default_workers(splits: Sequence[Split]) -> int:
    """One worker per core, or one in all for a small input."""
    return (os.cpu_count() or 1) if sum(split.bytes for split in splits) >= _WORTH_WORKERS else 1


def workers_within_reach(
    asked: int | None, splits: Sequence[Split], inputs: Sequence[InputConfig], output: str, engine: str
) -> int:
    """As many as asked for, or as suit the input; one where only this process can see the input or the output.

    Args:
        asked: by the user; None leaves it to the input.
        splits: what there is to read.
        inputs: where it lies.
        output: corpus root.
        engine: name of the Beam engine.

    Raises:
        ConfigurationError: an input or the output lies in this process's memory, and several processes are to work.
    """
    workers = asked or default_workers(splits)
    within = [url for url in (output, *(item.path for item in inputs)) if url.startswith("memory://")]
    if not within:
        return workers
    if asked is None:
        workers = 1
    if workers > 1 or engine != "local":
        raise ConfigurationError(
            f"{within[0]} lies in the memory of one process, other workers cannot see it",
            "Use `--workers 1` and the local engine, or a folder or object store",
        )
    return workers
