"""The measures of kept documents: those that ``prepare`` kept beside its shards, else taken again from the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import CorpusError
from corpus.hashing import stable_hash
from corpus.manifest import ShardFile, Snapshot
from corpus.shards import read_table
from corpus.storage import Storage
from evenglot.inspect.sample import batches
from evenglot.inspect.selection import Selection
from pipeline.quality.features import FEATURES
from pipeline.quality.rules import STOP_RULE
from pipeline.quality.scores import scores_of
from pipeline.quality.stage import QualityStage
from pipeline.quality.stop_words import shares
from pipeline.stage import with_column

MEASURED: Final = 20_000
"""Documents measured anew at most; of more, a sample by hash. Measures that were kept are read of all."""

StopWords = Mapping[str, Sequence[str]]


def measured_batches(
    storage: Storage, snapshot: Snapshot, selection: Selection, stop_words: StopWords
) -> Iterator[tuple[str, pa.RecordBatch, pa.RecordBatch]]:
    """Kept documents, each batch with the measures of its rows.

    A text shard holds the text and the probability of its language. The other measures stand in a file beside it; in
    a corpus without such files they are taken again, by the same stage, of the text as it was stored: it is the text
    they were taken of.

    Args:
        storage: the corpus.
        snapshot: its state.
        selection: which documents.
        stop_words: by language; where there are none the share of them is NaN.

    Yields:
        language of the shard, n rows of it, and n rows with ``lang_score`` and all features.

    Raises:
        CorpusError: a file of measures has other rows than its shard.
    """
    files = snapshot.select("text", lang=selection.lang)
    scores = {file.path: file for file in snapshot.select("scores")}
    anew = sum(file.rows for file in files if scores_of(file.path) not in scores)
    share = MEASURED / max(1, anew)
    for file in files:
        beside = scores.get(scores_of(file.path))
        pairs = _measured_anew(storage, file, selection, stop_words, share)
        if beside is not None:
            pairs = _kept_measures(storage, file, beside, selection, stop_words)
        for chosen, measures in pairs:
            if chosen.num_rows:
                yield file.lang or "", chosen, measures


def _kept_measures(
    storage: Storage, shard: ShardFile, scores: ShardFile, selection: Selection, stop_words: StopWords
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    with storage.local_copy(scores.path) as path:
        table = read_table(path).select([*FEATURES, "top_words"])
        if table.num_rows != shard.rows:
            raise CorpusError(
                f"{scores.path} has {table.num_rows:,} rows, {shard.path} {shard.rows:,}", "Run `evenglot verify`"
            )
        first = 0
        for batch in batches(storage, shard):
            mask = selection.mask(batch)
            part = table.slice(first, batch.num_rows).filter(mask).combine_chunks()
            first += batch.num_rows
            chosen = batch.filter(mask)
            columns = {name: chosen.column(name) for name in ("lang", "lang_score")}
            columns |= {name: part.column(name).combine_chunks() for name in part.column_names}
            yield chosen, _with_stop_words(pa.RecordBatch.from_pydict(columns), stop_words)


def _measured_anew(
    storage: Storage, shard: ShardFile, selection: Selection, stop_words: StopWords, share: float
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    stage = QualityStage(top_words=bool(stop_words))
    for batch in batches(storage, shard):
        chosen = batch.filter(pc.and_(selection.mask(batch), _drawn(batch, share)))
        if chosen.num_rows:
            yield chosen, _with_stop_words(stage(chosen).kept, stop_words)


def _with_stop_words(measures: pa.RecordBatch, stop_words: StopWords) -> pa.RecordBatch:
    found = np.full(measures.num_rows, np.nan, np.float32)
    if stop_words and measures.num_rows:
        found = shares(measures, stop_words)
    return with_column(measures, STOP_RULE.feature, pa.array(found))


def _drawn(batch: pa.RecordBatch, share: float) -> pa.Array:
    """Rows of a sample by hash of their ids."""
    if share >= 1:
        return pa.array([True] * batch.num_rows, pa.bool_())
    below = int(share * 2**64)
    ids = batch.column("id").to_pylist()
    return pa.array([stable_hash("borderline", identity) < below for identity in ids], pa.bool_())
