"""A corpus that says how many of its files have been looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus.storage import Storage

Progress = Callable[[str, int, int], None]


class WatchedStorage(Storage):
    """Tells of every file that is opened; how many there will be is not known, as some are read twice.

    Args:
        root: of the corpus.
        progress: called with ``look at files``, how many so far, and 0.
    """

    def __init__(self, root: str | Path, progress: Progress) -> None:
        super().__init__(root)
        self._progress = progress
        self._opened = 0

    @contextmanager
    def local_copy(self, name: str) -> Iterator[Path]:
        """A file to read, as of the class above."""
        self._opened += 1
        self._progress("look at files", self._opened, 0)
        with super().local_copy(name) as path:
            yield path
