"""Which corpora a run compares its documents with, and the parts of their indexes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from corpus.errors import ConfigurationError
from corpus.manifest import ShardFile, Snapshot, read_snapshot
from corpus.shards import open_shard
from corpus.storage import Storage
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.earlier.index import COPIES, fits


@dataclass(frozen=True)
class EarlierCorpus:
    """A snapshot whose documents stay, and are looked for among the new ones."""

    root: str
    snapshot: Snapshot
    own: bool
    """Whether the run goes on with it."""

    def index_files(self) -> list[ShardFile]:
        """Its index files in order; those of copies left out."""
        return [file for file in self.snapshot.select("index") if not file.path.endswith(f"-{COPIES}.arrow")]

    def is_indexed(self, near: NearDuplicateConfig) -> bool:
        """Whether the index holds every document, with keys that can be compared with those of a run."""
        files = self.index_files()
        if sum(file.rows for file in files) != sum(file.rows for file in self.snapshot.select("text")):
            return False
        storage = Storage(self.root)
        for file in files:
            with storage.local_copy(file.path) as path:
                if not fits(open_shard(path).schema.metadata, near):
                    return False
        return True


def earlier_corpora(output: str, base: Snapshot | None, against: Sequence[str]) -> list[EarlierCorpus]:
    """The corpora to compare with: the one that is gone on with first, so that its documents are named rather.

    Args:
        output: root of the corpus that is made.
        base: the snapshot that the run goes on with.
        against: further corpora as ``PATH`` or ``PATH@SNAPSHOT``.

    Raises:
        CorpusError: one of them is no corpus, or has no such snapshot.
        ConfigurationError: one is named twice.
    """
    found = [] if base is None else [EarlierCorpus(output, base, own=True)]
    for name in against:
        root, number = parse_place(name)
        snapshot = read_snapshot(root, number)
        if any((other.root, other.snapshot.number) == (root, snapshot.number) for other in found):
            raise ConfigurationError(
                f"snapshot {snapshot.number} of {root} is compared with twice", "Take it out of `deduplicate.against`"
            )
        found.append(EarlierCorpus(root, snapshot, own=False))
    return found


def parse_place(name: str) -> tuple[str, int | None]:
    """Root and snapshot of ``PATH`` or ``PATH@SNAPSHOT``."""
    root, _, number = name.rpartition("@")
    if root and number.isdigit():
        return root.rstrip("/") or "/", int(number)
    return name.rstrip("/") or "/", None
