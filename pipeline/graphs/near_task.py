"""What the jobs that find near duplicates have in common: their pieces and files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from corpus.storage import Storage
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.documents import Documents
from pipeline.deduplicate.exact import Rows
from pipeline.documents import StagedDocuments
from pipeline.earlier.documents import EarlierPart, JoinedDocuments, earlier_name
from pipeline.earlier.filter import NewKeys
from pipeline.packed import partitions_for


@dataclass(frozen=True)
class NearTask:
    """What the jobs have in common; small enough to be sent to each worker."""

    work: str
    folder: str
    """Of the decisions, in ``work``."""
    pieces: tuple[str, ...]
    config: NearDuplicateConfig
    earlier: tuple[EarlierPart, ...] = ()
    """Earlier documents, as pieces numbered after those of the run."""
    new_keys: NewKeys | None = None
    """The keys of this run's documents; needed where there are earlier ones."""

    @property
    def documents(self) -> Documents:
        """The documents compared."""
        staged = StagedDocuments(self.work, self.pieces, f"{self.folder}/exact")
        return JoinedDocuments(staged, self.earlier) if self.earlier else staged

    @property
    def all_pieces(self) -> int:
        """Pieces of the run and of earlier documents."""
        return len(self.pieces) + len(self.earlier)

    @property
    def partitions(self) -> int:
        """Of keys."""
        return partitions_for(self.all_pieces)

    def name(self, piece: int) -> str:
        """Name of the files about a piece."""
        return self.pieces[piece] if piece < len(self.pieces) else earlier_name(piece - len(self.pieces))

    def file(self, kind: str, name: str | int) -> str:
        """A file of one piece or partition."""
        return f"{self.folder}/{kind}/{name}.bin"

    def read(self, kind: str, name: str | int, dtype: np.dtype[np.void]) -> Rows:
        """Packed rows of such a file; none where it is missing."""
        storage, file = Storage(self.work), self.file(kind, name)
        return np.frombuffer(storage.read_bytes(file) if storage.exists(file) else b"", dtype=dtype)

    def write(self, kind: str, name: str | int, rows: Rows) -> None:
        """Keep packed rows."""
        Storage(self.work).write_bytes(self.file(kind, name), rows.tobytes())
