"""Pieces of remote files in a local folder of bounded size, shared by the processes of a machine.

A piece appears under its name in one step (rename), with the XXH3-128 of its bytes behind them, and is checked
each time it is opened: a file that another program damaged is fetched again. Pieces that were used longest ago
go first. Removing one that is mapped somewhere is harmless: its bytes go when nobody uses them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from multiprocessing.util import Finalize
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import xxhash

from corpus.storage import write_errors

_DIGEST_BYTES = 16
_STALE_SECONDS = 3600.0
_KEEP = 0.8  # of the bound, after the oldest pieces went
_SWEEPS = 32  # bytes that one process writes between two sweeps: the bound divided by this


class _Entry(NamedTuple):
    used: float
    size: int
    path: str


class PieceCache:
    """Bytes by name.

    Every process counts what it writes and clears the folder up to 80 % of the bound whenever that is 1/32 of the
    bound, so that up to six processes that fill it at once stay below the bound.

    Args:
        folder: of the pieces, made if need be; None takes a temporary one that goes with the process.
        limit: bound on the bytes of all pieces.
    """

    def __init__(self, folder: str | None, limit: int) -> None:
        self.limit = limit
        self._named = folder
        self._folder: Path | None = None
        self._written = limit  # so that the first piece written looks at what is there
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """Where the pieces lie."""
        if self._folder is None:
            if self._named is None:
                self._folder = Path(tempfile.mkdtemp(prefix="evenglot-cache-"))
                # Unlike those of weakref, these finalizers run at the end of worker processes too, and not in a
                # forked copy of the object.
                Finalize(self, shutil.rmtree, (str(self._folder), True), exitpriority=0)
            else:
                self._folder = Path(self._named).expanduser()
        return self._folder

    def __contains__(self, name: str) -> bool:
        return self._path(name).exists()

    def get(self, name: str) -> pa.Buffer | None:
        """The bytes of a piece, mapped; None where there is none or it is damaged."""
        path = self._path(name)
        try:
            with pa.memory_map(str(path), "r") as source:
                stored = source.read_buffer()
        except OSError:
            return None
        with suppress(OSError):  # it may belong to somebody else, or be gone
            os.utime(path)
        if stored.size > _DIGEST_BYTES:
            data = stored.slice(0, stored.size - _DIGEST_BYTES)
            if xxhash.xxh3_128_digest(memoryview(data)) == stored.slice(data.size).to_pybytes():
                return data
        path.unlink(missing_ok=True)
        return None

    def put(self, name: str, data: pa.Buffer) -> None:
        """Keep the bytes of a piece; larger ones than the bound are not kept.

        Raises:
            EvenglotError: the folder cannot be written.
        """
        size = data.size + _DIGEST_BYTES
        if size > self.limit:
            return
        path = self._path(name)
        with self._lock:
            self._written += size
            if self._written > self.limit // _SWEEPS:
                self._sweep(min(int(self.limit * _KEEP), self.limit - size))
                self._written = size
        with write_errors(str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as sink:
                    sink.write(memoryview(data))
                    sink.write(xxhash.xxh3_128_digest(memoryview(data)))
                Path(partial).replace(path)
            except BaseException:
                Path(partial).unlink(missing_ok=True)
                raise

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name

    def _sweep(self, target: int) -> None:
        """Remove the pieces used longest ago until the others have at most so many bytes."""
        entries = []
        now = time.time()
        for folder in _scan(self.folder):
            for file in _scan(folder):
                with suppress(OSError):  # another process removed it meanwhile
                    facts = file.stat()
                    if file.suffix == ".part" and now - facts.st_mtime > _STALE_SECONDS:
                        file.unlink()
                    else:
                        entries.append(_Entry(facts.st_mtime, facts.st_size, str(file)))
        total = sum(entry.size for entry in entries)
        for entry in sorted(entries):
            if total <= target:
                break
            if not entry.path.endswith(".part"):
                Path(entry.path).unlink(missing_ok=True)
                total -= entry.size


def _scan(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
