"""The folder of the decisions on a run's pieces, and which steps towards them are finished."""

from __future__ import annotations

from dataclasses import dataclass

from corpus.storage import Storage


@dataclass(frozen=True)
class Decisions:
    """Where the decisions on some pieces lie."""

    work: str
    folder: str
    """In ``work``; its name says which pieces they are."""

    @property
    def final(self) -> str:
        """Folder of the last word on every piece."""
        return f"{self.folder}/final"

    def is_done(self, step: str) -> bool:
        """Whether a step on these pieces was finished, by this run or an interrupted one."""
        return Storage(self.work).exists(f"{self.folder}/{step}.done")

    def mark_done(self, step: str) -> None:
        """Say that a step on these pieces is finished."""
        Storage(self.work).write_bytes(f"{self.folder}/{step}.done", b"")
