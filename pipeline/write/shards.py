"""The last step: staged rows and decisions in, shards of the corpus out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import EvenglotError
from corpus.hashing import file_hash, fingerprint
from corpus.manifest import FileKind, ShardFile
from corpus.schema import HELDOUT, NATURAL, RECORD_SCHEMA, REJECTED_SCHEMA, TRAIN
from corpus.shards import ShardWriter, conform, read_table
from corpus.storage import Storage
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.exact import DUPLICATE_TEXT, KEPT, NEAR_DUPLICATE, REFUSED, REPEATED_ID
from pipeline.earlier.index import index_rows, index_schema
from pipeline.match import Thresholds, fixed_bytes, read_decisions
from pipeline.quality.config import FilterConfig
from pipeline.quality.decide import decide
from pipeline.quality.features import FEATURES
from pipeline.quality.scores import SCORES_SCHEMA, scores_of
from pipeline.split.heldout import cluster_hash, heldout_mask
from pipeline.stage import with_column
from pipeline.work import read_staged, reject_counts, single_batch
from pipeline.write.config import WriteConfig
from pipeline.write.plan import IndexPart, RestPart, TextPart

_REASONS = {
    DUPLICATE_TEXT: "exact_duplicate",
    NEAR_DUPLICATE: "near_duplicate",
    REPEATED_ID: "repeated_id",
}

DOCUMENT_QUALITY: Final = "document_quality"
"""Quality of a synthetic row, whose column ``quality`` says which of two that are nearly the same stays."""

TOGETHER: Final = 64 << 20
"""Bytes of rows that are handled at once: far below the 2 GiB that an Arrow column of strings can hold."""


@dataclass(frozen=True)
class WriteJob:
    """What every shard of a run needs to know; small enough to be sent to each worker."""

    snapshot: int
    seed: int
    pieces: tuple[str, ...]
    """Names of the staged pieces, in the order of the run."""
    ranges: tuple[Mapping[str, tuple[int, int, int]], ...]
    """Per piece, where each language lies."""
    bounds: Mapping[str, int]
    """Per language, the hash below which documents are held out."""
    weights: Mapping[str, float]
    """Per language, the sampling weight relative to proportional."""
    thresholds: Thresholds
    filter: FilterConfig
    near: NearDuplicateConfig
    config: WriteConfig
    decisions: str
    """Folder of the decisions on each piece."""
    index: bool = True
    """Whether to note for later runs what they compare new documents with."""

    @property
    def accounts(self) -> str:
        """Folder of the accounts of finished parts: those of another snapshot or other pieces do not count."""
        return f"written/{self.snapshot:06d}-{fingerprint(self.pieces)[:16]}"


def write_text(corpus: Storage, work: Storage, part: TextPart, job: WriteJob) -> dict[str, Any]:
    """Write the training and held-out shard of one part.

    Returns:
        ``files`` and, per split, documents, bytes, characters and copies. What later runs need to know of the
        documents is left in the work folder under the part's name.
    """
    account: dict[str, Any] = {"kind": "text", "lang": part.lang, "files": []}
    schema = index_schema(job.near)
    chosen: dict[str, list[KeptRows]] = {TRAIN: [], HELDOUT: []}
    for kept in kept_rows(work, part, job):
        chosen[kept.split].append(kept)
    noted: list[pa.RecordBatch] = []
    for split, groups in chosen.items():
        if not groups:
            continue
        name = f"text/{part.lang}/{job.snapshot:06d}-{split}-{part.number:05d}.arrow"
        records = [batch for kept in groups for batch in kept.by_piece(kept.rows, RECORD_SCHEMA)]
        file = write_shard(corpus, name, "text", records, RECORD_SCHEMA, job.config, lang=part.lang, split=split)
        account["files"].append(file.model_dump())
        batches = [kept.rows for kept in groups]
        if job.config.scores:
            account["files"].append(write_scores(corpus, name, batches, lang=part.lang, split=split).model_dump())
        account[split] = {
            "documents": file.rows,
            "bytes": sum(pc.sum(pc.binary_length(batch.column("text"))).as_py() for batch in batches),
            "characters": sum(pc.sum(pc.utf8_length(batch.column("text"))).as_py() for batch in batches),
            "copies": sum(pc.sum(batch.column("copies")).as_py() for batch in batches),
            **synthetic_counts(batches),
        }
        first = 0
        for kept in groups if job.index else ():
            noted += kept.by_piece(index_rows(kept.rows, split == HELDOUT, name, first), schema)
            first += kept.rows.num_rows
    if noted:
        name = f"{job.accounts}/{part.lang}-{part.number:05d}.index.arrow"
        # The folder's name says what its files come from, so that one that an earlier attempt has finished is right.
        if not work.exists(name):
            with work.create(name) as path, ShardWriter(path, schema) as writer:
                for batch in noted:
                    writer.write(batch)
        account["index"] = {"name": name, "bytes": work.size(name)}
    return account


def synthetic_counts(batches: Sequence[pa.RecordBatch]) -> dict[str, int]:
    """Documents and bytes among the rows that are not natural; empty where all are."""
    documents = size = 0
    for batch in batches:
        made = pc.not_equal(pc.cast(batch.column("origin"), pa.string()), NATURAL)
        documents += pc.sum(made).as_py() or 0
        size += pc.sum(pc.binary_length(batch.column("text").filter(made))).as_py() or 0
    return {"synthetic_documents": documents, "synthetic_bytes": size} if documents else {}


@dataclass(frozen=True)
class KeptRows:
    """Kept rows of one split from consecutive pieces, with the columns of a record, of the index, of the scores."""

    split: str
    rows: pa.RecordBatch
    lengths: tuple[int, ...]
    """How many rows come from each piece."""

    def by_piece(self, rows: pa.RecordBatch, schema: pa.Schema) -> list[pa.RecordBatch]:
        """The columns of a schema, encoded once for all rows, cut into batches as small as the pieces were.

        The batches are copies: a slice would be written with some bytes of its neighbours.

        Args:
            rows: those of this object, perhaps with other columns.
            schema: what they are brought to, but for the columns that they lack.
        """
        there = set(rows.schema.names)
        whole = conform(rows, pa.schema([field for field in schema if field.name in there]))
        stops = np.cumsum(self.lengths).tolist()
        return [
            whole.take(pa.array(np.arange(stop - length, stop)))
            for stop, length in zip(stops, self.lengths, strict=True)
            if length
        ]


def kept_rows(work: Storage, part: TextPart, job: WriteJob) -> Iterator[KeptRows]:
    """The kept rows of a part, in the order of the pieces and, for each few of them, of the splits.

    What costs the same for ten rows as for thousands is done for many pieces at once: a language may have a few
    rows in every piece.
    """
    wanted = sorted({*RECORD_SCHEMA.names, *index_schema(job.near).names, *SCORES_SCHEMA.names, DOCUMENT_QUALITY})
    staged: list[pa.Table] = []
    decided: list[pa.Table] = []
    size = 0
    for number in part.pieces:
        start, stop, _ = job.ranges[number][part.lang]
        match = read_decisions(work, job.decisions, job.pieces[number])
        rows = match.column("row").to_numpy()
        mine = (rows >= start) & (rows < stop) & (match.column("verdict").to_numpy() == KEPT)
        if not mine.any():
            continue
        decided.append(match.filter(pa.array(mine)))
        staged.append(read_staged(work, job.pieces[number], wanted).take(pa.array(rows[mine])))
        size += staged[-1].nbytes
        if size >= TOGETHER:
            yield from by_split(staged, decided, part.lang, job)
            staged, decided, size = [], [], 0
    if staged:
        yield from by_split(staged, decided, part.lang, job)


def by_split(staged: Sequence[pa.Table], decided: Sequence[pa.Table], lang: str, job: WriteJob) -> Iterator[KeptRows]:
    """Kept rows of some pieces, with what the run decided on them.

    Args:
        staged: the rows, one table for each piece.
        decided: their decisions, row by row.
        lang: of all of them.
        job: the run's.
    """
    batch, match = single_batch(pa.concat_tables(staged)), single_batch(pa.concat_tables(decided))
    clusters = fixed_bytes(match.column("cluster"))
    held = heldout_mask(cluster_hash(clusters, job.seed), job.bounds.get(lang, 0))
    forced = match.column("heldout")
    held = np.where(forced.is_valid(), forced.fill_null(False), held).astype(bool)
    columns = {
        "id": hexadecimal(fixed_bytes(match.column("other"))),
        "cluster": hexadecimal(clusters),
        "copies": match.column("copies"),
        "origin": repeated(NATURAL, batch.num_rows),
        "weight": pa.repeat(pa.scalar(job.weights.get(lang, 1.0), pa.float32()), batch.num_rows),
    }
    if DOCUMENT_QUALITY in batch.schema.names:
        # Synthetic rows: what they were ranked by is no quality, and their copies are no natural documents.
        columns |= {
            "origin": batch.column("origin"),
            "quality": batch.column(DOCUMENT_QUALITY),
            "copies": pa.array(np.ones(batch.num_rows, np.int32)),
        }
    for name, column in columns.items():
        batch = with_column(batch, name, column)
    pieces = np.repeat(np.arange(len(staged)), [table.num_rows for table in staged])
    for split, chosen in ((TRAIN, ~held), (HELDOUT, held)):
        if chosen.any():
            rows = batch.filter(pa.array(chosen))
            lengths = np.bincount(pieces[chosen], minlength=len(staged)).tolist()
            yield KeptRows(split, with_column(rows, "split", repeated(split, rows.num_rows)), tuple(lengths))


def repeated(value: str, rows: int) -> pa.DictionaryArray:
    """A column that says the same of every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype=np.int32)), pa.array([value]))


def write_index(corpus: Storage, work: Storage, part: IndexPart, job: WriteJob) -> ShardFile:
    """Put index rows together in one file of the corpus."""
    name = f"index/{job.snapshot:06d}-{part.number:05d}.arrow"
    schema = index_schema(job.near)
    with corpus.create(name) as target:
        with ShardWriter(target, schema) as writer:
            for rows in part.names:
                with work.local_copy(rows) as path:
                    for batch in read_table(path).to_batches():
                        writer.write(batch)
        size, digest = target.stat().st_size, file_hash(target)
    return ShardFile(path=name, kind="index", rows=writer.rows, size=size, hash=digest)


def write_rest(corpus: Storage, work: Storage, part: RestPart, job: WriteJob) -> dict[str, Any]:
    """Write the rejected and the unreadable records of some pieces.

    Returns:
        ``files``, ``rejected`` (stage/reason -> language -> rows) and ``unreadable`` (rows).
    """
    account: dict[str, Any] = {"kind": "rest", "files": [], "rejected": {}, "unreadable": 0}
    batches = [batch for number in part.pieces for batch in rejected_batches(work, number, job) if batch.num_rows]
    if batches:
        name = f"rejected/{job.snapshot:06d}-{part.number:05d}.arrow"
        file = write_shard(corpus, name, "rejected", batches, REJECTED_SCHEMA, job.config)
        account["files"].append(file.model_dump())
        if job.config.scores:
            account["files"].append(write_scores(corpus, name, batches).model_dump())
        with corpus.local_copy(name) as path:
            account["rejected"] = reject_counts(read_table(path))
    lines = b""
    for number in part.pieces:
        name = f"staged/{job.pieces[number]}.unreadable.jsonl"
        if work.exists(name):
            lines += work.read_bytes(name)
    if lines:
        name = f"unreadable/{job.snapshot:06d}-{part.number:05d}.jsonl"
        corpus.write_bytes(name, lines)
        account["unreadable"] = lines.count(b"\n")
        account["files"].append(describe(corpus, name, "unreadable", account["unreadable"]).model_dump())
    return account


def rejected_batches(work: Storage, number: int, job: WriteJob) -> list[pa.RecordBatch]:
    """Rows of one piece that a stage, the filters or the comparison rejected."""
    name = job.pieces[number]
    batches = []
    if work.exists(f"staged/{name}.rejected.arrow"):
        with work.local_copy(f"staged/{name}.rejected.arrow") as path:
            batches += read_table(path).to_batches()
    table = read_staged(work, name)
    if table.num_rows == 0:
        return batches
    batch = single_batch(table)
    verdicts = decide(batch, job.thresholds, job.filter)
    batches.append(filtered(batch, verdicts))
    match = read_decisions(work, job.decisions, name)
    refused = match.filter(pc.equal(match.column("verdict"), REFUSED))
    if refused.num_rows:
        batches.append(refusals(batch, refused))
    lost = match.filter(pc.is_in(match.column("verdict"), pa.array([*_REASONS], pa.uint8())))
    if lost.num_rows:
        batches.append(duplicates(batch, lost, job.near))
    return batches


def filtered(batch: pa.RecordBatch, verdicts: Sequence[tuple[str, str, str] | None]) -> pa.RecordBatch:
    """The rows that the filters rejected, with what decided."""
    rows = [row for row, verdict in enumerate(verdicts) if verdict is not None]
    chosen = batch.take(pa.array(rows, pa.int64()))
    given = [verdict for verdict in verdicts if verdict is not None]
    for position, name in enumerate(("stage", "reason", "detail")):
        chosen = with_column(chosen, name, pa.array([verdict[position] for verdict in given], pa.string()))
    return chosen


def refusals(batch: pa.RecordBatch, refused: pa.Table) -> pa.RecordBatch:
    """The rows that were refused after all comparisons, with stage, reason and detail as the decisions have them."""
    chosen = batch.take(refused.column("row").combine_chunks())
    for name in ("stage", "reason", "detail"):
        chosen = with_column(chosen, name, refused.column(name).combine_chunks())
    return chosen


def duplicates(batch: pa.RecordBatch, lost: pa.Table, near: NearDuplicateConfig) -> pa.RecordBatch:
    """The rows that lost the comparison, with the id of the one that stayed."""
    chosen = batch.take(lost.column("row").combine_chunks())
    verdicts = lost.column("verdict").to_pylist()
    clusters = hexadecimal(fixed_bytes(lost.column("cluster")))
    columns = {
        "stage": pa.array(["deduplicate"] * len(verdicts)),
        "reason": pa.array([_REASONS[verdict] for verdict in verdicts]),
        "detail": pa.array(
            [
                None if jaccard is None else likeness(jaccard, containment, near)
                for jaccard, containment in zip(
                    lost.column("jaccard").to_pylist(), lost.column("containment").to_pylist(), strict=True
                )
            ],
            pa.string(),
        ),
        "duplicate_of": hexadecimal(fixed_bytes(lost.column("other"))),
        "cluster": pc.if_else(lost.column("cluster").is_valid().combine_chunks(), clusters, None),
    }
    for name, column in columns.items():
        chosen = with_column(chosen, name, column)
    return chosen


def likeness(jaccard: float, containment: float, near: NearDuplicateConfig) -> str:
    """The number that made a near duplicate, and its threshold.

    Rounded down to two places, so that what reached a threshold is not shown below or above it.
    """
    name, value, bound = "jaccard", jaccard, near.jaccard
    if jaccard < np.float32(near.jaccard):
        name, value, bound = "containment", containment, near.containment
    return f"{name} {np.floor(value * 100 + 1e-4) / 100:.2f} >= {bound:g}"


def hexadecimal(keys: npt.NDArray[np.bytes_]) -> pa.Array:
    """16-byte keys as 32 hexadecimal digits each."""
    digits = pa.py_buffer(keys.tobytes().hex().encode("ascii"))
    return pa.Array.from_buffers(pa.binary(32), len(keys), [None, digits]).cast(pa.string())


def write_shard(
    corpus: Storage,
    name: str,
    kind: FileKind,
    batches: Sequence[pa.RecordBatch],
    schema: pa.Schema,
    config: WriteConfig,
    *,
    lang: str | None = None,
    split: str | None = None,
) -> ShardFile:
    """Write one shard and describe it."""
    with corpus.create(name) as path:
        with ShardWriter(path, schema, config.compression) as writer:
            for batch in batches:
                writer.write(batch)
        size, digest = path.stat().st_size, file_hash(path)
    return ShardFile(path=name, kind=kind, lang=lang, split=split, rows=writer.rows, size=size, hash=digest)


def write_scores(
    corpus: Storage,
    shard: str,
    batches: Sequence[pa.RecordBatch],
    *,
    lang: str | None = None,
    split: str | None = None,
) -> ShardFile:
    """Write what the rows of a shard were judged by, in their order; null for those that no stage scored."""
    if lang is not None and (missing := {*FEATURES} - {*batches[0].schema.names}):
        raise EvenglotError(f"kept rows of {shard} come without {sorted(missing)[0]}", "This is a defect of evenglot")
    # Read seldom and in one go: compressed whatever the shards are, and in one batch, as every buffer is by itself.
    rows = pa.Table.from_batches([conform(batch, SCORES_SCHEMA) for batch in batches]).unify_dictionaries()
    whole = rows.combine_chunks().to_batches()
    config = WriteConfig(compression="zstd")
    return write_shard(corpus, scores_of(shard), "scores", whole, SCORES_SCHEMA, config, lang=lang, split=split)


def describe(corpus: Storage, name: str, kind: FileKind, rows: int) -> ShardFile:
    """The manifest's entry for a file that is already there."""
    with corpus.local_copy(name) as path:
        return ShardFile(path=name, kind=kind, rows=rows, size=path.stat().st_size, hash=file_hash(path))
