"""What every job of a run needs to know: where it reads and writes, by which settings, and by whom it is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from corpus.manifest import Snapshot
from corpus.storage import Storage
from pipeline.config import PrepareConfig
from pipeline.prepare.jobs import Jobs


@dataclass(frozen=True)
class Context:
    """One run between the decision to make a snapshot and its commit."""

    output: str
    """Corpus root, a folder or an object-store URL."""
    work_url: str
    """Where the run keeps its intermediate files."""
    config: PrepareConfig
    seed: int
    """Decides what is held out."""
    number: int
    """Of the snapshot that is made."""
    base: Snapshot | None
    """The snapshot that the run goes on with."""
    jobs: Jobs

    @property
    def corpus(self) -> Storage:
        """The corpus."""
        return Storage(self.output)

    @property
    def work(self) -> Storage:
        """The intermediate files."""
        return Storage(self.work_url)

    def files_in(self, folder: str, suffix: str, total: int) -> Callable[[], tuple[int, int]]:
        """Tells how many of the files expected in a folder of the work folder are there."""
        work = self.work
        return lambda: (min(total, sum(name.endswith(suffix) and name[0] != "." for name in work.list(folder))), total)
