"""Record batches of token shards in an object store: one range request each, through a local cache.

A shard's end, which says where its record batches lie, is read once. A record batch is fetched in one request,
stored in the cache without the columns that the sampler does not use, and
used from there by memory map. What will be used next is fetched by some threads meanwhile.
"""

from __future__ import annotations

import io
import os
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import pyarrow as pa
import xxhash

from corpus.errors import CorpusError
from corpus.manifest import ShardFile
from corpus.storage import Storage, explain
from sampler.cache import PieceCache

ATTEMPTS = 5
"""Requests for one range before giving up; they wait 0.5, 1, 2 and 4 seconds after each other."""
_WAIT_SECONDS = 0.5
_THREADS = 16
_AHEAD = 64
_SHARDS = 1024
_TAIL_BYTES = 1 << 16
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
_UNUSED = ("id",)

_Value = TypeVar("_Value")
Ranges = Callable[[int, int], bytes]


class RemoteBatches:
    """Record batches of the shards under a URL.

    Args:
        url: corpus root.
        cache: where fetched record batches are kept.
        sleep: waits so many seconds between two attempts.
    """

    ahead = True

    def __init__(self, url: str, cache: PieceCache, sleep: Callable[[float], None] = time.sleep) -> None:
        self._url = url
        self._cache = cache
        self._sleep = sleep
        self._threads: ThreadPoolExecutor | None = None
        self._begin()

    def count(self, file: ShardFile) -> int:
        """Record batches of a shard.

        Raises:
            CorpusError: the shard is missing, damaged or cannot be read.
        """
        self._settle()
        with self._damage(file):
            return int(self._reader(file, ATTEMPTS).num_record_batches)

    def batch(self, file: ShardFile, index: int) -> pa.RecordBatch:
        """A record batch without the columns that the sampler does not use.

        Raises:
            CorpusError: the shard is missing, damaged or cannot be read.
        """
        name = self._name(file, index)
        self._settle()
        coming = self._coming.get(name)
        if coming is not None:
            coming.exception()  # waits; where it failed, the request is made again here, with its attempts
        stored = self._cache.get(name)
        if stored is None:
            stored = self._fetch(file, index, name, ATTEMPTS)
        return pa.ipc.open_stream(stored).read_next_batch()

    def prefetch(self, file: ShardFile, index: int) -> None:
        """Fetch a record batch in the background, unless it is there or too many are on their way."""
        name = self._name(file, index)
        self._settle()
        if name in self._coming or len(self._coming) >= _AHEAD or name in self._cache:
            return
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="evenglot-prefetch")
            weakref.finalize(self, self._threads.shutdown, wait=False, cancel_futures=True)
        self._coming[name] = self._threads.submit(self._fetch, file, index, name, 1)

    def _begin(self) -> None:
        # Drivers of object stores, locks and threads do not survive a fork: a forked worker begins anew.
        self._process = os.getpid()
        self._storage = Storage(self._url)
        self._ends: OrderedDict[str, _End] = OrderedDict()
        self._gates: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._coming: dict[str, Future[pa.Buffer]] = {}
        self._threads = None

    def _settle(self) -> None:
        if self._process != os.getpid():
            self._begin()
        for name in [name for name, future in self._coming.items() if future.done()]:
            del self._coming[name]

    def _name(self, file: ShardFile, index: int) -> str:
        return xxhash.xxh3_128_hexdigest(f"{self._url}\x00{file.path}\x00{file.hash}\x00{index}".encode())

    def _reader(self, file: ShardFile, attempts: int) -> pa.RecordBatchFileReader:
        """A reader of its own for each request, so that requests do not wait for each other."""
        ranges = self._ranges(file, attempts)
        with self._lock:
            gate = self._gates.setdefault(file.path, threading.Lock())
        with gate:
            end = self._ends.get(file.path)
            if end is None:
                size = file.size or self._size(file)
                end = _End(size, ranges(max(0, size - _TAIL_BYTES), size))
                with self._lock:
                    self._ends[file.path] = end
                    if len(self._ends) > _SHARDS:
                        self._ends.popitem(last=False)
        return pa.ipc.open_file(pa.PythonFile(_RangeFile(end, ranges), mode="r"))

    def _fetch(self, file: ShardFile, index: int, name: str, attempts: int) -> pa.Buffer:
        with self._damage(file):
            batch = self._reader(file, attempts).get_batch(index)
            batch.validate(full=True)
        kept = batch.select([column for column in batch.schema.names if column not in _UNUSED])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, kept.schema) as writer:
            writer.write_batch(kept)
        data = sink.getvalue()
        self._cache.put(name, data)
        return data

    @contextmanager
    def _damage(self, file: ShardFile) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowInvalid, IndexError, OSError) as error:
            raise CorpusError(
                f"{self._storage.path(file.path)} is no whole Arrow file: {error}",
                "Run `evenglot verify` on the corpus to see what is damaged",
            ) from error

    def _size(self, file: ShardFile) -> int:
        return self._try(file, ATTEMPTS, lambda: self._storage.size(file.path))

    def _ranges(self, file: ShardFile, attempts: int) -> Ranges:
        path = self._storage.path(file.path)

        def read(start: int, end: int) -> bytes:
            data: bytes = self._storage.filesystem.cat_file(path, start=start, end=end)
            if len(data) != end - start:
                raise OSError(f"{len(data):,} bytes came instead of {end - start:,}")
            return data

        return lambda start, end: self._try(file, attempts, lambda: read(start, end))

    def _try(self, file: ShardFile, attempts: int, action: Callable[[], _Value]) -> _Value:
        for attempt in range(attempts):
            try:
                return action()
            except _FINAL as error:
                raise CorpusError(
                    f"cannot read {self._storage.path(file.path)}: {explain(error)}",
                    "Check that the corpus is whole and may be read: `evenglot verify`",
                ) from error
            except Exception as error:
                # Drivers of object stores raise types of their own for what passes by itself.
                if attempt + 1 == attempts:
                    said = explain(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
                    raise CorpusError(
                        f"cannot read {self._storage.path(file.path)} in {attempts} attempts: {said}",
                        "Check the network and the credentials, then resume the run",
                    ) from error
            self._sleep(_WAIT_SECONDS * 2**attempt)
        raise AssertionError("unreachable")


class _End(NamedTuple):
    """The end of a shard, which says where its record batches lie."""

    size: int
    """Bytes of the shard."""
    data: bytes
    """Its last bytes."""


class _RangeFile(io.RawIOBase):
    """What Arrow needs of a file, by range requests."""

    def __init__(self, end: _End, ranges: Ranges) -> None:
        self._size, self._tail = end
        self._ranges = ranges
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._size, self._at + size)
        first = self._size - len(self._tail)
        data = self._tail[self._at - first : end - first] if self._at >= first else self._ranges(self._at, end)
        self._at = end
        return data
