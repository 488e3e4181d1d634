"""The job that inserts: shards -> counts by language -> plans -> passages -> candidates.

Counts have a bounded size and are grouped by language; passages, which hold text, are written where they are found, and
only the names of their files are grouped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from corpus.shards import ShardWriter, read_batches, read_table
from corpus.storage import Storage
from pipeline.augment.files import keep_candidates
from pipeline.graphs.deal import Build, dealt
from pipeline.phenomena.config import PhenomenaConfig
from pipeline.phenomena.counts import Counts, count
from pipeline.phenomena.find import carriers
from pipeline.phenomena.make import compose
from pipeline.phenomena.passages import PASSAGE_SCHEMA, keep
from pipeline.phenomena.plan import Plan, plan
from pipeline.work import encode, single_batch


@dataclass(frozen=True)
class ShardTask:
    """One shard of natural training text."""

    lang: str
    path: str
    number: int
    """Tells the shards of a language apart."""


@dataclass(frozen=True)
class InsertionJob:
    """What all shards have in common; small enough to be sent to each worker."""

    corpus: str
    work: str
    config: PhenomenaConfig
    budgets: Mapping[str, int]
    """Bytes by language."""
    candidates: Mapping[str, str]
    """File of the candidates of each language, and of its account beside it."""


def insertions_job(tasks: Sequence[ShardTask], job: InsertionJob) -> Build:
    """Make the candidates of some languages."""

    def build(pipeline: beam.Pipeline) -> None:
        shards = dealt(pipeline, "shards", tasks)
        plans = (
            shards
            | "count" >> beam.Map(count_shard, job)
            | "group counts" >> beam.GroupByKey()
            | "plan" >> beam.Map(plan_language, job)
        )
        _ = (
            shards
            | "passages" >> beam.Map(find_passages, job, beam.pvalue.AsDict(plans))
            | "group passages" >> beam.GroupByKey()
            | "compose" >> beam.Map(compose_language, job, beam.pvalue.AsDict(plans))
        )

    return build


def count_shard(task: ShardTask, job: InsertionJob) -> tuple[str, Counts]:
    """What is in one shard."""
    counts = Counts(task.lang)
    for batch in batches(task, job):
        counts = counts.merge(count(batch, task.lang, job.config), job.config)
    return task.lang, counts


def plan_language(element: tuple[str, Iterable[Counts]], job: InsertionJob) -> tuple[str, Plan]:
    """What is wanted of one language."""
    lang, parts = element
    counts = Counts(lang)
    for part in parts:
        counts = counts.merge(part, job.config)
    return lang, plan(counts, job.config, job.budgets.get(lang, 0))


def find_passages(task: ShardTask, job: InsertionJob, plans: Mapping[str, Plan]) -> tuple[str, str]:
    """Keep the passages of one shard; the language and the file they are in."""
    first, found = 0, []
    for batch in batches(task, job):
        found.append(carriers(batch, plans[task.lang], job.config, task.path, first))
        first += batch.num_rows
    name = f"passages/{task.lang}-{task.number:05d}.arrow"
    with Storage(job.work).create(name) as path, ShardWriter(path, PASSAGE_SCHEMA) as writer:
        writer.write(keep(found, job.config))
    return task.lang, name


def compose_language(element: tuple[str, Iterable[str]], job: InsertionJob, plans: Mapping[str, Plan]) -> None:
    """Put the passages of one language together, and keep the candidates and their account."""
    lang, names = element
    work = Storage(job.work)
    tables = []
    for name in sorted(names):
        with work.local_copy(name) as path:
            tables.append(single_batch(read_table(path)))
    made = compose(keep(tables, job.config), plans[lang], job.config)
    work.write_bytes(f"{job.candidates[lang]}.json", encode(made.account.model_dump(mode="json")))
    keep_candidates(work, job.candidates[lang], made.candidates, {})


def batches(task: ShardTask, job: InsertionJob) -> Iterator[pa.RecordBatch]:
    """The batches of a shard."""
    with Storage(job.corpus).local_copy(task.path) as path:
        yield from read_batches(path)
