"""Sketches of the natural documents that may be parents, one file for each shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from corpus.hashing import fingerprint
from corpus.manifest import Snapshot
from corpus.schema import TRAIN
from corpus.shards import ShardWriter, read_batches, read_table
from corpus.storage import Storage
from pipeline.parents.config import ParentsConfig
from pipeline.parents.sketch import SKETCH_SCHEMA, merge, sketch
from pipeline.prepare.context import Context

_COLUMNS = ("id", "text", "split", "origin", "quality")


@dataclass(frozen=True)
class SketchTask:
    """One shard to look at; small, as it goes to a worker."""

    corpus: str
    path: str
    config: ParentsConfig
    seed: int
    share: float
    """Of its documents, by hash."""
    name: str
    """File of the sketches in the work folder."""


def sketch_languages(
    context: Context, natural: Snapshot, languages: Sequence[str], config: ParentsConfig
) -> dict[str, pa.Table]:
    """Sketches of the documents that may be parents, by language, ordered by hash; at most ``config.documents`` each.

    Args:
        context: of the run.
        natural: snapshot whose training text is looked at; held-out shards are never opened.
        languages: tags.
        config: which documents are fit.
    """
    from pipeline.graphs.deal import for_each

    tasks: dict[str, list[SketchTask]] = {}
    for lang in languages:
        shards = natural.natural_text(lang=lang, split=TRAIN)
        # About twice as many as are wanted are looked at: some are unfit.
        share = min(1.0, 2 * config.documents / max(sum(shard.rows for shard in shards), 1))
        settings = [config.model_dump(mode="json"), context.seed, share]
        tasks[lang] = [
            SketchTask(
                context.output, shard.path, config, context.seed, share,
                f"sketches/{fingerprint([shard.path, shard.hash, settings])[:24]}.arrow",
            )
            for shard in shards
        ]  # fmt: skip
    everything = [task for some in tasks.values() for task in some]
    waiting = [task for task in everything if not context.work.exists(task.name)]

    def done() -> tuple[int, int]:
        return sum(context.work.exists(task.name) for task in everything), len(everything)

    if waiting:
        with context.jobs.step("look for parents (shards)", done):
            job = for_each("shards", waiting, "sketch", sketch_shard, context.work_url)
            context.jobs.run(job, sum(file.rows for lang in languages for file in natural.natural_text(lang=lang)))
    return {lang: merge(_tables(context.work, tasks[lang]), config.documents) for lang in languages}


def sketch_shard(task: SketchTask, work: str) -> None:
    """Sketch the documents of one shard."""
    with (
        Storage(task.corpus).local_copy(task.path) as path,
        Storage(work).create(task.name) as target,
        ShardWriter(target, SKETCH_SCHEMA) as writer,
    ):
        first = 0
        for batch in read_batches(path):
            found = sketch(
                batch.select(list(_COLUMNS)), task.path, first, task.config, seed=task.seed, share=task.share
            )
            for part in found.to_batches():
                writer.write(part)
            first += batch.num_rows


def _tables(work: Storage, tasks: Sequence[SketchTask]) -> Iterator[pa.Table]:
    for task in tasks:
        with work.local_copy(task.name) as path:
            yield read_table(path)
