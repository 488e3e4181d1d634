"""Rows from an object store: the same as local ones, in few requests, through a cache of bounded size."""

from __future__ import annotations

import gc
import inspect
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import numpy as np
import pytest
from fsspec.spec import AbstractFileSystem
from torch.utils.data import DataLoader

from corpus.errors import CorpusError
from corpus.manifest import ShardFile
from sampler import CurriculumStream, HeldoutRows, SamplerConfig
from sampler.cache import PieceCache
from sampler.config import CacheConfig
from sampler.index import Documents, TokenCorpus
from sampler.remote import RemoteBatches
from sampler.runs import RunCache
from sampler.torch import RowDataset

LANG = "aaa_Latn"


class Store(AbstractFileSystem):
    """A folder of this machine behind range requests, which are counted and may fail or take time."""

    protocol = "counted"
    cachable = False
    ranges: ClassVar[list[tuple[str, int]]] = []
    fail: ClassVar[dict[str, list[Exception]]] = {}
    seconds: ClassVar[float] = 0.0

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        local = Path(self._strip_protocol(path))
        return {"name": str(local), "size": local.stat().st_size, "type": "directory" if local.is_dir() else "file"}

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> bytes:
        local = Path(self._strip_protocol(path))
        data = local.read_bytes()
        if start is None:
            return data
        if self.fail.get(local.name):
            raise self.fail[local.name].pop()
        self.ranges.append((local.name, (end or 0) - start))
        time.sleep(self.seconds)
        return data[start:end]


@pytest.fixture(autouse=True)
def store() -> Iterator[type[Store]]:
    """The store, with nothing counted yet."""
    fsspec.register_implementation("counted", Store, clobber=True)
    Store.ranges, Store.fail, Store.seconds = [], {}, 0.0
    yield Store
    Store.seconds = 0.0


@pytest.fixture(scope="module")
def root(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A corpus of 2 languages in 4 shards each; a record batch has about 120 kB."""
    folder = tmp_path_factory.mktemp("remote")
    lengths = [20 + i % 40 for i in range(20_000)]
    made_up.corpus(folder, {LANG: lengths, "bbb_Latn": lengths[:3000]}, {LANG: lengths[:2000]}, files=4)
    return str(folder)


def stream(url: str, cache: Path, room: int = 1 << 30) -> CurriculumStream:
    """Rows of a corpus through a cache."""
    config = SamplerConfig(row_tokens=512, mixture="proportional", cache=CacheConfig(folder=str(cache), bytes=room))
    return CurriculumStream(url, tokenizer="spm", config=config, seed=3)


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def settled() -> None:
    """Wait until no prefetch is on its way."""
    deadline = time.monotonic() + 20
    seen = -1
    while seen != len(Store.ranges) and time.monotonic() < deadline:
        seen = len(Store.ranges)
        time.sleep(0.2)


def test_rows_are_the_same_and_every_byte_comes_once(root: str, tmp_path: Path) -> None:
    local = stream(root, tmp_path)
    count = sum(local.sizes.values()) // 512
    remote = stream(f"counted://{root}", tmp_path)
    assert Store.ranges == []
    for first in range(0, count, 64):
        wanted, got = local.rows(range(first, first + 64)), remote.rows(range(first, first + 64))
        assert np.array_equal(wanted.tokens, got.tokens)
        assert np.array_equal(wanted.languages, got.languages)
    settled()
    shards = list(Path(root).rglob("*train*.arrow"))
    tails = 8 * (1 << 16)
    assert sum(length for _, length in Store.ranges) <= sum(path.stat().st_size for path in shards) + tails
    # One request for the end of each shard, which may hold its last record batch, and one for each record batch.
    assert 20 <= len(Store.ranges) <= 8 + 20 + 4
    before = len(Store.ranges)
    again = stream(f"counted://{root}", tmp_path)
    assert np.array_equal(again.rows(range(64)).tokens, local.rows(range(64)).tokens)
    settled()
    assert len(Store.ranges) == before


def test_one_row_fetches_its_chunk_and_the_next_alone(root: str, tmp_path: Path) -> None:
    batches = RemoteBatches(f"counted://{root}", PieceCache(str(tmp_path), 1 << 30))
    corpus = TokenCorpus(root, "spm", "train")
    documents = Documents(LANG, counted(corpus), batches, RunCache())
    assert (documents.count, documents.chunks, Store.ranges) == (20, 3, [])
    documents.chunk(0)
    assert list(documents.members(0)) == [0, 3, 6, 9, 12, 15, 18]
    # One request for each of four shards, one for each of seven record batches.
    assert len(Store.ranges) == 11
    documents.prefetch(documents.members(1))
    settled()
    # The last record batch of a shard lies in its end, which is there already.
    held = len(Store.ranges)
    assert 15 <= held <= 18
    documents.chunk(1)
    assert len(Store.ranges) == held


def counted(corpus: TokenCorpus) -> list[ShardFile]:
    """The training shards of a language."""
    return corpus.snapshot.select("tokens", lang=LANG, split="train")


def test_held_out_rows_are_the_same(root: str, tmp_path: Path) -> None:
    local = HeldoutRows(root, tokenizer="spm", row_tokens=256)
    remote = HeldoutRows(f"counted://{root}", tokenizer="spm", row_tokens=256, cache=CacheConfig(folder=str(tmp_path)))
    assert remote.size(LANG) == local.size(LANG)
    for wanted, got in zip(local.batches(LANG, 32), remote.batches(LANG, 32), strict=True):
        assert np.array_equal(wanted.tokens, got.tokens)


def test_a_small_cache_stays_small_and_changes_no_row(root: str, tmp_path: Path) -> None:
    local, room = stream(root, tmp_path), 1 << 20
    remote = stream(f"counted://{root}", tmp_path / "cache", room)
    for first in range(0, 1600, 32):
        assert np.array_equal(remote.rows(range(first, first + 32)).tokens, local.rows(range(first, first + 32)).tokens)
        assert size(tmp_path / "cache") <= room
    assert sum(length for _, length in Store.ranges) > room


def test_what_fails_in_passing_is_tried_again(root: str, tmp_path: Path) -> None:
    waited: list[float] = []
    batches = RemoteBatches(f"counted://{root}", PieceCache(str(tmp_path), 1 << 30), waited.append)
    file = counted(TokenCorpus(root, "spm", "train"))[0]
    Store.fail[Path(file.path).name] = [RuntimeError("slow down"), TimeoutError(), OSError(104, "reset")]
    assert batches.batch(file, 0).num_rows == 1024
    assert waited == [0.5, 1, 2]
    Store.fail[Path(file.path).name] = [OSError(104, "reset by peer") for _ in range(9)]
    with pytest.raises(CorpusError, match=r"cannot read .*train-00000\.arrow in 5 attempts: reset by peer.*resume"):
        batches.batch(file, 1)
    assert waited == [0.5, 1, 2, 0.5, 1, 2, 4]


def test_what_cannot_pass_is_said_at_once(root: str, tmp_path: Path) -> None:
    waited: list[float] = []
    batches = RemoteBatches(f"counted://{root}", PieceCache(str(tmp_path), 1 << 30), waited.append)
    file = counted(TokenCorpus(root, "spm", "train"))[0]
    with pytest.raises(CorpusError, match=r"cannot read .*gone\.arrow: No such file"):
        batches.batch(file.model_copy(update={"path": "tokens/gone.arrow"}), 0)
    with pytest.raises(CorpusError, match=r"no whole Arrow file.*evenglot verify"):
        batches.batch(file.model_copy(update={"path": "manifest.json"}), 0)
    assert waited == []


def test_a_failed_prefetch_is_made_good(root: str, tmp_path: Path) -> None:
    waited: list[float] = []
    batches = RemoteBatches(f"counted://{root}", PieceCache(str(tmp_path), 1 << 30), waited.append)
    file = counted(TokenCorpus(root, "spm", "train"))[0]
    Store.fail[Path(file.path).name] = [OSError(104, "reset")]
    batches.prefetch(file, 2)
    settled()
    assert waited == []
    assert batches.batch(file, 2).num_rows == 1024


def test_a_damaged_piece_is_fetched_again(root: str, tmp_path: Path) -> None:
    local, remote = stream(root, tmp_path), stream(f"counted://{root}", tmp_path / "cache")
    remote.rows(range(32))
    settled()
    for path in (tmp_path / "cache").rglob("*"):
        if path.is_file():
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.unlink()  # what is mapped stays as it was
            path.write_bytes(data)
    again = stream(f"counted://{root}", tmp_path / "cache")
    assert np.array_equal(again.rows(range(32)).tokens, local.rows(range(32)).tokens)


def test_threads_share_a_cache(root: str, tmp_path: Path) -> None:
    wanted = stream(root, tmp_path).rows(range(200)).tokens
    found: list[Any] = []

    def read() -> None:
        found.append(stream(f"counted://{root}", tmp_path / "cache", 1 << 20).rows(range(200)).tokens)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(np.array_equal(tokens, wanted) for tokens in found)


READER_IMPORTS = """
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

from fsspec.spec import AbstractFileSystem
"""
READER = """
import fsspec
from sampler import CurriculumStream, SamplerConfig
from sampler.config import CacheConfig

fsspec.register_implementation("counted", Store)
Store.seconds = 0.002
config = SamplerConfig(row_tokens=512, cache=CacheConfig(folder=sys.argv[2], bytes=1 << 20))
stream = CurriculumStream(sys.argv[1], tokenizer="spm", config=config, seed=3)
row = 0
while True:
    stream.rows(range(row, row + 16))
    row += 16
    print(row, flush=True)
"""


@pytest.mark.slow
def test_killed_readers_leave_no_broken_piece(root: str, tmp_path: Path) -> None:
    script = f"{READER_IMPORTS}\n\n{inspect.getsource(Store)}{READER}"
    cache = tmp_path / "cache"
    for turn in range(3):
        readers = [
            subprocess.Popen([sys.executable, "-c", script, f"counted://{root}", str(cache)], stdout=subprocess.PIPE)
            for _ in range(2)
        ]
        for reader in readers:
            assert reader.stdout is not None
            for _ in range(2 + turn):
                assert reader.stdout.readline().strip().isdigit()
        time.sleep(0.013 * turn)
        for reader in readers:
            reader.send_signal(signal.SIGKILL)
            reader.wait()
            reader.stdout.close()  # type: ignore[union-attr]
    pieces = [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".part"]
    assert pieces
    kept = PieceCache(str(cache), 1 << 20)
    assert all(kept.get(path.name) is not None for path in pieces)
    local, remote = stream(root, tmp_path), stream(f"counted://{root}", cache, 1 << 20)
    assert np.array_equal(remote.rows(range(64)).tokens, local.rows(range(64)).tokens)


def test_worker_processes_read_through_caches_that_go_with_them(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    config = SamplerConfig(row_tokens=512, mixture="proportional")
    local, remote = (
        RowDataset(url, tokenizer="spm", config=config, seed=3, batch_rows=16, stop=128)
        for url in (root, f"counted://{root}")
    )
    # The parent reads first: its threads and locks must not matter to the workers forked from it.
    assert np.array_equal(remote.stream.rows(range(16)).tokens, local.stream.rows(range(16)).tokens)
    loader = DataLoader(remote, batch_size=None, num_workers=2, multiprocessing_context="fork")
    for wanted, got in zip(local, loader, strict=True):
        assert np.array_equal(np.asarray(wanted["tokens"]), np.asarray(got["tokens"]))
    del loader
    settled()
    deadline = time.monotonic() + 20
    while len(list(tmp_path.glob("evenglot-cache-*"))) > 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(list(tmp_path.glob("evenglot-cache-*"))) == 1
    del remote
    gc.collect()
    assert list(tmp_path.glob("evenglot-cache-*")) == []
