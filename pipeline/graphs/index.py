"""The job that writes the index for later runs: keys of what was written -> index files."""

from __future__ import annotations

from collections.abc import Sequence

from corpus.storage import Storage
from pipeline.graphs.deal import Build, for_each
from pipeline.work import encode
from pipeline.write.plan import IndexPart
from pipeline.write.shards import WriteJob, write_index


def index_job(parts: Sequence[IndexPart], corpus: str, work: str, job: WriteJob) -> Build:
    """Write every part of the index and its account."""
    return for_each("parts", parts, "write index", write_index_part, corpus, work, job)


def write_index_part(part: IndexPart, corpus: str, work: str, job: WriteJob) -> None:
    """Write one part of the index, then its account."""
    file = write_index(Storage(corpus), Storage(work), part, job)
    Storage(work).write_bytes(f"{job.accounts}/index-{part.number:05d}.json", encode({"files": [file.model_dump()]}))
