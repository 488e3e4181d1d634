"""The documents that a language's statistics rest on: chosen by hash, so that everyone knows which they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.hashing import stable_hash
from corpus.shards import read_batches
from corpus.storage import Storage
from pipeline.curriculum.score import measure
from pipeline.curriculum.statistics import collect

FEWEST_DOCUMENTS: Final = 64
"""In a sample, where the language has so many: a few long ones say little about documents."""
COLUMNS: Final = ("text", "scripts", "code_switching")
"""Of a text shard, that scores are made from."""


@dataclass(frozen=True)
class SampleTask:
    """One language to be counted; small and picklable."""

    root: str
    lang: str
    shards: tuple[str, ...]
    """Text shards of the training split."""
    share: float
    """Of the documents, to be counted."""
    folder: str
    """New local folder for the statistics."""


@dataclass(frozen=True)
class Sampled:
    """Statistics that were written."""

    lang: str
    folder: str
    digest: str
    documents: int


def share(size: int, documents: int, sample_bytes: int) -> float:
    """The share of a language's documents that is counted.

    Args:
        size: UTF-8 bytes of the documents.
        documents: how many there are.
        sample_bytes: bytes to count.
    """
    return min(1.0, max(sample_bytes / max(size, 1), FEWEST_DOCUMENTS / max(documents, 1)))


def chosen(ids: Sequence[str], share: float) -> npt.NDArray[np.bool_]:
    """Which documents are in the sample, bool [n].

    Args:
        ids: of n documents.
        share: of all documents, 0 to 1.
    """
    if share >= 1:
        return np.ones(len(ids), np.bool_)
    hashes = np.array([stable_hash("curriculum sample", name) for name in ids], np.uint64)
    return hashes < np.uint64(share * 2.0**64)


def count_language(task: SampleTask) -> Sampled:
    """Count a language's sample and write the statistics into the task's folder.

    Raises:
        CorpusError: a text shard is missing or damaged.
    """
    storage = Storage(task.root)
    batches: list[pa.RecordBatch] = []
    for name in task.shards:
        with storage.local_copy(name) as path:
            for batch in read_batches(path):
                own = chosen(batch.column("id").to_pylist(), task.share)
                if own.any():
                    columns = {column: batch.column(column) for column in COLUMNS}
                    batches.append(pa.RecordBatch.from_pydict(columns).filter(pa.array(own)))
    size = sum(pc.sum(pc.binary_length(batch.column("text")), min_count=0).as_py() for batch in batches)
    statistics = collect(batches, size, measure)
    statistics.save(Path(task.folder))
    return Sampled(task.lang, task.folder, statistics.digest, statistics.documents)
