"""How far the reading of the inputs is, from the files it has left in the work folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from corpus.storage import Storage
from pipeline.work import STAGED

_EXPANSION: Final = 3.0
"""Staged bytes for each byte of input, until finished splits tell better."""


def read_so_far(work: Storage, sizes: Mapping[str, int], folder: str = STAGED) -> int:
    """Bytes of input read, about: whole splits that are done, and of the others what their staged pieces suggest.

    Args:
        work: the run's work folder.
        sizes: bytes of every split, by the name of its task.
        folder: where its pieces are written.
    """
    names = work.list(folder)
    finished = {name.removesuffix(".done.json") for name in names if name.endswith(".done.json")} & set(sizes)
    staged: Counter[str] = Counter()
    for name in names:
        if name.endswith(".arrow") and not name.startswith("."):
            staged[name.rpartition("-")[0]] += work.size(f"{folder}/{name}")
    whole = sum(sizes[task] for task in finished)
    expansion = sum(staged[task] for task in finished) / whole if whole else _EXPANSION
    under_way = sum(
        min(int(staged[task] / max(expansion, 0.1)), size * 19 // 20)
        for task, size in sizes.items()
        if task not in finished
    )
    return whole + under_way
