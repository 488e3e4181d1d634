"""Runs of documents: opened when they are used, bounded, checked against the manifest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import CorpusError
from corpus.manifest import ShardFile, read_snapshot
from corpus.shards import read_batches, run_tokens
from sampler.index import Documents, TokenCorpus
from sampler.runs import MappedBatches, RunCache

LANG = "aaa_Latn"


def counted(root: str) -> list[ShardFile]:
    """The corpus's shards with the tokens of their runs, as ``tokenize`` lists them."""
    files = read_snapshot(root).select("tokens", lang=LANG)
    return [file.model_copy(update={"run_tokens": run_tokens(read_batches(Path(root) / file.path))}) for file in files]


def test_counted_runs_give_the_same_documents_and_read_no_shard(made_up: Any, tmp_path: Path) -> None:
    root = made_up.corpus(tmp_path / "c", {LANG: [2 + i % 7 for i in range(5000)]}, files=2)
    files = counted(root)
    read = TokenCorpus(root, "spm", "train").documents(LANG)
    for file in files:
        (tmp_path / "c" / file.path).rename(tmp_path / file.path.rsplit("/", 1)[1])
    listed = Documents(LANG, files, MappedBatches(tmp_path / "c"), RunCache())
    assert (listed.documents, listed.tokens, listed.chunks) == (read.documents, read.tokens, read.chunks)
    assert (listed.documents, listed.count, listed.chunks) == (5000, 6, 1)
    assert listed.chunk_tokens.tolist() == read.chunk_tokens.tolist()
    for file in files:
        (tmp_path / file.path.rsplit("/", 1)[1]).rename(tmp_path / "c" / file.path)
    for one, other in zip(listed.chunk(0), read.chunk(0), strict=True):
        assert one.tolist() == other.tolist()


def test_a_run_that_the_manifest_counts_otherwise_is_an_error(made_up: Any, tmp_path: Path) -> None:
    root = made_up.corpus(tmp_path, {LANG: [5] * 1500})
    (file,) = counted(root)
    assert file.run_tokens == (5120, 2380)
    wrong = Documents(LANG, [file.model_copy(update={"run_tokens": (5120, 2381)})], MappedBatches(tmp_path), RunCache())
    assert len(wrong.run(0).sizes) == 1024
    with pytest.raises(CorpusError, match=r"run 1 of .*00000\.arrow holds 476 documents of 2,380 tokens.*says 476 of"):
        wrong.run(1)
    with pytest.raises(CorpusError, match=r"counts 1 runs of .* for 1,500 documents"):
        Documents(LANG, [file.model_copy(update={"run_tokens": (7500,)})], MappedBatches(tmp_path), RunCache())


def test_what_is_open_is_bounded_and_opened_again(made_up: Any, tmp_path: Path) -> None:
    root = made_up.corpus(tmp_path, {LANG: [5] * 640}, files=10, batch=16)
    files = counted_loosely(root)
    documents = Documents(LANG, files, MappedBatches(tmp_path, limit=2), RunCache(limit=3))
    before = len(list(Path("/proc/self/fd").iterdir()))
    tokens = [documents.run(index).tokens[:5].tolist() for index in range(40)]
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2
    assert maps(tmp_path) <= 5
    assert [documents.run(index).tokens[:5].tolist() for index in range(40)] == tokens


def test_the_bytes_of_open_runs_are_bounded(made_up: Any, tmp_path: Path) -> None:
    root = made_up.corpus(tmp_path, {LANG: [5] * 640}, batch=16)
    cache = RunCache(room=3 * MappedBatches(tmp_path).batch(counted_loosely(root)[0], 0).nbytes)
    documents = Documents(LANG, counted_loosely(root), MappedBatches(tmp_path), cache)
    for _ in range(3):
        first = documents.run(0)
        # Kept again, as when a view asks for columns that were not wanted before: it counts once.
        cache.put(documents._open, 0, first)
        documents.run(1)
        documents.run(2)
        assert sorted(documents._open) == [0, 1, 2]
    documents.run(3)
    assert sorted(documents._open) == [1, 2, 3]


def test_many_languages_open_with_few_file_handles(made_up: Any, tmp_path: Path) -> None:
    root = made_up.corpus(tmp_path, {f"{chr(97 + i // 26)}{chr(97 + i % 26)}a_Latn": [4] for i in range(150)})
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
        "from sampler import CurriculumStream, SamplerConfig\n"
        "config = SamplerConfig(row_tokens=8, mixture='uniform', block_rows=150)\n"
        "stream = CurriculumStream(sys.argv[1], tokenizer='spm', config=config, seed=0)\n"
        "print(sorted(stream.rows(range(150)).languages.tolist()) == list(range(150)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, root], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr


def counted_loosely(root: str) -> list[ShardFile]:
    """The corpus's shards as the manifest lists them, runs not counted."""
    return read_snapshot(root).select("tokens", lang=LANG)


def maps(folder: Path) -> int:
    """Maps of files in a folder that this process holds."""
    return sum(str(folder) in line for line in Path("/proc/self/maps").read_text().splitlines())
