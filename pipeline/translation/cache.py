"""Translations made before, found again by a hash of all that decided them.

A folder, local or on an object store, of *segments*: Arrow IPC files of rows sorted by their 16-byte key, never
changed. A segment is named by a hash of its contents and appears whole or not at all, so any number of processes may
write at a time, and one that is killed leaves at worst a hidden part of a file. What lies there is only ever an answer
that would be computed again: any segment may be removed at any time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import xxhash

from corpus.errors import CorpusError
from corpus.storage import Storage
from pipeline.translation.cells import Done

SEGMENT_SCHEMA: Final = pa.schema(
    [
        pa.field("high", pa.uint64(), nullable=False),
        pa.field("low", pa.uint64(), nullable=False),
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("score", pa.float64()),
        pa.field("tokens", pa.int32(), nullable=False),
        pa.field("truncated", pa.bool_(), nullable=False),
    ]
)
"""Rows of a segment: the two halves of the key (big-endian), sorted by it, and what was translated."""
SUFFIX: Final = ".arrow"
FLUSH_ROWS: Final = 500
"""New translations that are written at once."""
FLUSH_SECONDS: Final = 15.0
"""So old may a new translation grow before it is written."""
OWN_SEGMENTS: Final = 16
"""Segments of its own that a process puts together to one."""
SEGMENT_BYTES: Final = 1 << 30
"""Compaction leaves larger segments as they are."""
_LOOK_AGAIN_SECONDS: Final = 10.0
_PARTIAL_SECONDS: Final = 3_600.0


class Segment:
    """One file of sorted rows, read where it lies.

    Args:
        path: local file, mapped into memory.

    Raises:
        ValueError: it is no segment.
    """

    def __init__(self, path: Path) -> None:
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all()
        if table.schema != SEGMENT_SCHEMA:
            raise ValueError(f"{path}: not a segment of translations")
        self.table = table.combine_chunks()
        self.high = self._numbers("high")
        self.low = self._numbers("low")

    def rows(self, high: np.ndarray[Any, Any], low: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Row of each key, -1 where it is not there.

        Args:
            high: [n] first halves.
            low: [n] second halves.
        """
        found = np.full(len(high), -1, dtype=np.int64)
        if not len(self.high) or not len(high):
            return found
        place = np.searchsorted(self.high, high, side="left")
        end = np.searchsorted(self.high, high, side="right")
        for index in np.flatnonzero(end > place).tolist():
            same = self.low[place[index] : end[index]] == low[index]
            if same.any():
                found[index] = place[index] + int(np.argmax(same))
        return found

    def done(self, rows: Sequence[int]) -> list[Done]:
        """What was translated, at some rows."""
        chosen = self.table.select(["text", "score", "tokens", "truncated"]).take(pa.array(rows, pa.int64()))
        return [Done(**row) for row in chosen.to_pylist()]

    def _numbers(self, name: str) -> np.ndarray[Any, Any]:
        column = self.table.column(name)
        chunks = column.chunks
        return chunks[0].to_numpy() if chunks else np.zeros(0, dtype=np.uint64)


class Cache:
    """The translations of a folder; any number of threads may use one, any number of processes a folder.

    Args:
        url: folder, local or on an object store; created on first write.
    """

    def __init__(self, url: str | Path) -> None:
        self.storage = Storage(url)
        self.damaged: set[str] = set()
        """Names of files that are no segments; they are passed over."""
        self._segments: dict[str, Segment] = {}
        self._own: list[str] = []
        self._pending: dict[bytes, Done] = {}
        self._since = 0.0
        self._looked = float("-inf")
        self._lock = threading.RLock()
        self._copies = ExitStack()

    def find(self, keys: Sequence[bytes]) -> Mapping[bytes, Done]:
        """Those of the keys whose translations are there.

        Args:
            keys: of 16 bytes each.
        """
        with self._lock:
            self._look()
            found = {key: self._pending[key] for key in keys if key in self._pending}
            segments = list(self._segments.values())
        for segment in segments:
            open_keys = [key for key in keys if key not in found]
            if not open_keys:
                break
            halves = np.frombuffer(b"".join(open_keys), dtype=">u8").astype(np.uint64).reshape(-1, 2)
            rows = segment.rows(halves[:, 0], halves[:, 1])
            hits = np.flatnonzero(rows >= 0).tolist()
            for index, done in zip(hits, segment.done([int(rows[hit]) for hit in hits]), strict=True):
                found[open_keys[index]] = done
        return found

    def keep(self, made: Mapping[bytes, Done]) -> None:
        """Take up new translations; they are written with others, in a few seconds at the latest when more come."""
        with self._lock:
            if not self._pending:
                self._since = time.monotonic()
            self._pending.update(made)
            if len(self._pending) >= FLUSH_ROWS or time.monotonic() - self._since > FLUSH_SECONDS:
                self.flush()

    def flush(self) -> None:
        """Write what is not written."""
        with self._lock:
            if self._pending:
                self._own.append(self._write(_table(self._pending)))
                self._pending = {}
            if len(self._own) >= OWN_SEGMENTS:
                self._own = self._merge(self._own)

    def compact(self) -> int:
        """Put all segments but the largest ones together to one; other processes may go on meanwhile.

        Returns:
            Segments that are left.
        """
        with self._lock:
            self.flush()
            self._look(now=True)
            small = sorted(name for name in self._segments if self.storage.size(name) < SEGMENT_BYTES)
            if len(small) > 1:
                self._merge(small)
            self._own = []
            self._remove_partial()
            return len(self._segments)

    def close(self) -> None:
        """Write what is not written, let go of the files."""
        with self._lock:
            self.flush()
            self._segments.clear()
            self._looked = float("-inf")
            self._copies.close()

    def _look(self, now: bool = False) -> None:
        """Open segments that others have written since the last look."""
        if not now and time.monotonic() - self._looked < _LOOK_AGAIN_SECONDS:
            return
        self._looked = time.monotonic()
        names = [name for name in self.storage.list("") if name.endswith(SUFFIX) and not name.startswith(".")]
        for gone in self._segments.keys() - set(names):
            del self._segments[gone]
        for name in names:
            if name not in self._segments and name not in self.damaged:
                self._open(name)

    def _open(self, name: str) -> None:
        try:
            path = self._copies.enter_context(self.storage.local_copy(name))
            self._segments[name] = Segment(path)
        except (FileNotFoundError, CorpusError):
            return  # another process has put it together with others
        except (OSError, ValueError, pa.ArrowException):
            self.damaged.add(name)

    def _remove_partial(self) -> None:
        """Remove what killed processes were writing; a file that is still written to is younger."""
        if self.storage.is_local:
            for path in Path(self.storage.path()).glob(".*.part"):
                with suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > _PARTIAL_SECONDS:
                        path.unlink()

    def _write(self, table: pa.Table) -> str:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, SEGMENT_SCHEMA) as writer:
            writer.write_table(table)
        data = sink.getvalue()
        name = xxhash.xxh3_128_hexdigest(data) + SUFFIX
        with self.storage.create(name) as local:
            local.write_bytes(data)
        self._open(name)
        return name

    def _merge(self, names: Sequence[str]) -> list[str]:
        """Segments to one of all their rows, whose name is given. The new one is there before the old ones go."""
        there = [self._segments[name].table for name in names if name in self._segments]
        if not there:  # another process has put them together with its own
            return []
        table = pa.concat_tables(there)
        halves = np.stack([table.column(name).to_numpy() for name in ("high", "low")])
        order = np.lexsort(halves[::-1])
        ordered = halves[:, order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
        merged = self._write(table.take(pa.array(order[first])).combine_chunks())
        for name in names:
            if name != merged:
                self._segments.pop(name, None)
                self.storage.remove(name)
        return [merged]


def _table(made: Mapping[bytes, Done]) -> pa.Table:
    keys = sorted(made)
    halves = np.frombuffer(b"".join(keys), dtype=">u8").astype(np.uint64).reshape(-1, 2)
    rows = [made[key] for key in keys]
    columns = [
        pa.array(np.ascontiguousarray(halves[:, 0])),
        pa.array(np.ascontiguousarray(halves[:, 1])),
        pa.array([row.text for row in rows], pa.large_string()),
        pa.array([row.score for row in rows], pa.float64()),
        pa.array([row.tokens for row in rows], pa.int32()),
        pa.array([row.truncated for row in rows], pa.bool_()),
    ]
    return pa.Table.from_arrays(columns, schema=SEGMENT_SCHEMA)
