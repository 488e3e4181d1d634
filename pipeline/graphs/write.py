"""The job that writes: parts -> shards."""

from __future__ import annotations

from collections.abc import Sequence

from corpus.storage import Storage
from pipeline.graphs.deal import Build, for_each
from pipeline.work import encode
from pipeline.write.plan import RestPart, TextPart
from pipeline.write.shards import WriteJob, write_rest, write_text


def write_job(parts: Sequence[TextPart | RestPart], corpus: str, work: str, job: WriteJob) -> Build:
    """Write every part's shards and its account."""
    return for_each("parts", parts, "write", write_part, corpus, work, job)


def write_part(part: TextPart | RestPart, corpus: str, work: str, job: WriteJob) -> None:
    """Write one part, then its account: an account that is there means the shards are whole."""
    target, staged = Storage(corpus), Storage(work)
    if isinstance(part, TextPart):
        account = write_text(target, staged, part, job)
    else:
        account = write_rest(target, staged, part, job)
    staged.write_bytes(f"{job.accounts}/{part_name(part)}.json", encode(account))


def part_name(part: TextPart | RestPart) -> str:
    """Name of a part's account."""
    return f"text-{part.lang}-{part.number:05d}" if isinstance(part, TextPart) else f"rest-{part.number:05d}"
