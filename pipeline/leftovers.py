"""What interrupted runs left in a corpus: unfinished work, and files that were being written.

Unfinished work is kept, for a run with the same inputs and settings takes it up; it is removed only when asked for.
Half-written files serve nobody and go with the next run. Both are looked for under the corpus's lock only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import regex

from corpus.storage import Storage

WORK: Final = ".work"
_FINGERPRINT: Final = regex.compile("[0-9a-f]{16}")
_PARTIAL: Final = ".*.part"
_FOLDERS: Final = ("text", "scores", "rejected", "unreadable", "index", "boilerplate", "snapshots", "runs")


@dataclass(frozen=True)
class Unfinished:
    """The work folder of a run that did not end, with other inputs or settings than the present one."""

    name: str
    """Relative to the corpus."""
    bytes: int


def unfinished(corpus: Storage, mine: str) -> list[Unfinished]:
    """Work folders but one's own, in the order of their names.

    Args:
        corpus: whose ``.work`` to look through.
        mine: name of the folder that is in use, without ``.work/``.
    """
    names = [name for name in corpus.list(WORK) if _FINGERPRINT.fullmatch(name) and name != mine]
    return [Unfinished(f"{WORK}/{name}", _size(corpus, f"{WORK}/{name}")) for name in names]


def _size(corpus: Storage, name: str) -> int:
    found = corpus.filesystem.find(corpus.path(name), detail=True)
    return sum(int(info.get("size") or 0) for info in found.values())


def remove_partial(corpus: Storage) -> int:
    """Remove the files that a killed run was writing; gives how many there were. Object stores have none."""
    if not corpus.is_local:
        return 0
    removed = 0
    for folder in _FOLDERS:
        for path in Path(corpus.path(folder)).rglob(_PARTIAL):
            path.unlink(missing_ok=True)
            removed += 1
    return removed
