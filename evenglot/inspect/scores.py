"""The documents of a corpus with what they were judged by, kept and rejected ones alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import CorpusError
from corpus.manifest import ShardFile, Snapshot
from corpus.shards import read_batches, read_table
from corpus.storage import Storage
from pipeline.quality.scores import SCORES_SCHEMA, scores_of

_SHARD: tuple[str, ...] = ("id", "lang", "lang_score", "url", "source")
_VERDICT: tuple[str, ...] = ("stage", "reason", "detail")


def scored_rows(
    storage: Storage, snapshot: Snapshot, lang: str | None = None
) -> Callable[[], Iterator[pa.RecordBatch]]:
    """A function that reads all documents with their scores, as often as it is called; see ``preview.Rows``.

    Args:
        storage: the corpus.
        snapshot: its state.
        lang: only documents of this language.

    Raises:
        CorpusError: the corpus has no scores.
    """
    scores = {file.path: file for file in snapshot.select("scores")}
    shards = [*snapshot.select("text"), *snapshot.select("rejected")]
    lacking = [file for file in shards if scores_of(file.path) not in scores]
    if lacking:
        raise CorpusError(
            f"{storage.url} has no scores for {len(lacking)} of its {len(shards)} shards",
            "Prepare it with `prepare.write.scores: true`",
        )

    def rows() -> Iterator[pa.RecordBatch]:
        for file in shards:
            if lang is None or file.lang in (None, lang):
                yield from _rows(storage, file, scores[scores_of(file.path)], lang)

    return rows


def _rows(storage: Storage, shard: ShardFile, scores: ShardFile, lang: str | None) -> Iterator[pa.RecordBatch]:
    """The rows of one shard beside their scores."""
    with storage.local_copy(shard.path) as left, storage.local_copy(scores.path) as right:
        judged = read_table(right).select(SCORES_SCHEMA.names)
        if judged.num_rows != shard.rows:
            raise CorpusError(f"{scores.path} has {judged.num_rows:,} rows, {shard.path} {shard.rows:,}")
        first = 0
        for batch in read_batches(left):
            columns = {name: batch.column(name) for name in _SHARD}
            for name in _VERDICT:
                there = batch.schema.get_field_index(name) >= 0
                columns[name] = batch.column(name) if there else pa.nulls(batch.num_rows, pa.string())
            beside = judged.slice(first, batch.num_rows).combine_chunks()
            first += batch.num_rows
            columns |= {name: beside.column(name).combine_chunks() for name in SCORES_SCHEMA.names}
            found = pa.RecordBatch.from_pydict(columns)
            if lang is not None:
                found = found.filter(pc.equal(found.column("lang").cast(pa.string()), lang))
            yield found
