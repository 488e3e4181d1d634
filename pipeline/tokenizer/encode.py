"""Text shards to token shards."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from corpus.errors import CorpusError
from corpus.hashing import file_hash
from corpus.manifest import ShardFile
from corpus.schema import NATURAL, RUN_DOCUMENTS, token_schema
from corpus.shards import ShardWriter, conform, open_shard, read_table, run_tokens
from corpus.storage import Storage
from corpus.tags import UNSPACED
from pipeline.curriculum.quantiles import Histogram
from pipeline.curriculum.sample import chosen
from pipeline.curriculum.score import HARDEST, MOST_DIVERSE, VERSION, Scores, score
from pipeline.curriculum.statistics import Statistics
from pipeline.tokenizer.model import TextTokenizer, open_tokenizer, read_model

_READ: Final = ("id", "text", "copies", "origin", "scripts", "code_switching")


@dataclass(frozen=True)
class Scoring:
    """What the documents of a text shard are scored by."""

    folder: str
    """Of the language's statistics, local."""
    digest: str
    """Of the statistics."""
    share: float
    """Of the shard's documents, that were counted in them; 0 for text added later."""


@dataclass(frozen=True)
class EncodeTask:
    """One text shard to be encoded; small and picklable."""

    root: str
    text: ShardFile
    name: str
    """The token shard."""
    tokenizer: str
    model: str
    """Path of the model under the root."""
    model_hash: str
    scoring: Scoring | None = None
    """None leaves the scores empty."""
    kept: bool = False
    """An earlier snapshot has the token shard: it is used as it is."""


@dataclass(frozen=True)
class Encoded:
    """A token shard and what was counted while writing it."""

    file: ShardFile
    documents: int
    tokens: int
    """With one end for each document."""
    synthetic_tokens: int
    """Of these, tokens of documents that are not natural."""
    bytes: int
    words: int
    """Words, or characters for scripts without spaces."""
    reused: bool
    """It was there already."""
    scored: int
    """Documents with scores."""


class EncodedShard(NamedTuple):
    """A token shard with how its documents' scores are spread."""

    encoded: Encoded
    difficulty: Histogram
    diversity: Histogram


def encode_shard(task: EncodeTask) -> EncodedShard:
    """Encode one text shard, unless its token shard exists and was made from the same text and model.

    The columns are those of :func:`corpus.schema.token_schema`, the rows in the order of the text shard's.

    Raises:
        CorpusError: the text shard or the model is missing or damaged.
    """
    storage = Storage(task.root)
    found = _existing(storage, task)
    if found is not None:
        return found
    if task.kept and storage.exists(task.name):
        raise CorpusError(
            f"{storage.path(task.name)} is damaged, and an earlier snapshot has it",
            "Remove the file and run `evenglot tokenize` again: it is made anew",
        )
    tokenizer = _tokenizer(task.root, task.model, task.model_hash)
    schema = token_schema(tokenizer.vocabulary, attributes=True)
    counts: Counter[str] = Counter(documents=0, tokens=0, synthetic_tokens=0, bytes=0, words=0)
    batches = []
    with storage.local_copy(task.text.path) as source:
        table = read_table(source).select(_READ)
        for start in range(0, table.num_rows, RUN_DOCUMENTS):
            (part,) = table.slice(start, RUN_DOCUMENTS).combine_chunks().to_batches()
            batch, counted = encode_batch(tokenizer, part, str(task.text.lang), _scores(task.scoring, part))
            batches.append(batch)
            counts.update(counted)
    metadata = {
        "text": task.text.hash,
        "model": task.model_hash,
        "scores": _scored_by(task.scoring),
        "counts": json.dumps(counts, sort_keys=True),
    }
    with storage.create(task.name) as path:
        with ShardWriter(path, schema, metadata=metadata) as writer:
            for batch in batches:
                writer.write(batch)
        size, digest = path.stat().st_size, file_hash(path)
    return _encoded(task, size, digest, counts, batches, reused=False)


def encode_batch(
    tokenizer: TextTokenizer, batch: pa.RecordBatch, lang: str, scores: Scores | None = None
) -> tuple[pa.RecordBatch, dict[str, int]]:
    """Encode some documents.

    Args:
        tokenizer: the model.
        batch: n documents with the columns ``id``, ``text``, ``copies`` and ``origin`` of a text shard.
        lang: tag; its script says whether words or characters are counted.
        scores: of the documents; None leaves the columns null.

    Returns:
        a batch of :func:`corpus.schema.token_schema` with its attributes, and the counts documents, tokens,
        synthetic_tokens, bytes and words.
    """
    schema = token_schema(tokenizer.vocabulary, attributes=True)
    texts = batch.column("text")
    listed: list[str] = texts.to_pylist()
    tokens, offsets = tokenizer.encode_documents(listed)
    kind = schema.field("tokens").type
    values = pa.array(tokens.astype(kind.value_type.to_pandas_dtype()))
    synthetic = is_synthetic(batch.column("origin"))
    columns = {
        "id": batch.column("id"),
        "tokens": pa.ListArray.from_arrays(pa.array(offsets), values, type=kind),
        "bytes": pc.cast(pc.binary_length(texts), pa.int32()),
        "copies": batch.column("copies"),
        "synthetic": pa.array(synthetic),
    }
    if scores is not None:
        columns |= {
            name: pa.array(values, mask=np.isnan(values))
            for name, values in (("difficulty", scores.difficulty), ("diversity", scores.diversity))
        }
    counts = {
        "documents": len(listed),
        "tokens": len(tokens),
        "synthetic_tokens": int(np.diff(offsets)[synthetic].sum()),
        "bytes": pc.sum(columns["bytes"], min_count=0).as_py(),
        "words": sum(words(text, lang) for text in listed),
    }
    return conform(pa.RecordBatch.from_pydict(columns), schema), counts


def _scores(scoring: Scoring | None, batch: pa.RecordBatch) -> Scores | None:
    if scoring is None:
        return None
    own = chosen(batch.column("id").to_pylist(), scoring.share)
    return score(batch, _statistics(scoring.folder), own)


def _scored_by(scoring: Scoring | None) -> str:
    return f"{VERSION}/{scoring.digest}/{scoring.share}" if scoring else ""


@lru_cache(maxsize=2)
def _statistics(folder: str) -> Statistics:
    return Statistics.load(Path(folder))


def is_synthetic(origins: pa.Array) -> NDArray[np.bool_]:
    """Whether each of n documents is other than natural, bool [n]."""
    found: NDArray[np.bool_] = pc.not_equal(pc.cast(origins, pa.string()), NATURAL).to_numpy(zero_copy_only=False)
    return found


def words(text: str, lang: str) -> int:
    """Words between spaces, or characters other than spaces where the language's script has no spaces."""
    parts = text.split()
    return sum(map(len, parts)) if lang.rpartition("_")[2] in UNSPACED else len(parts)


@lru_cache(maxsize=1)
def _tokenizer(root: str, model: str, expected: str) -> TextTokenizer:
    return open_tokenizer(read_model(Storage(root), model, expected))


def _existing(storage: Storage, task: EncodeTask) -> EncodedShard | None:
    if not storage.exists(task.name):
        return None
    with storage.local_copy(task.name) as path:
        try:
            reader = open_shard(path)
            metadata = reader.schema.metadata or {}
            counts = json.loads(metadata[b"counts"])
            if metadata[b"text"].decode() != task.text.hash or metadata[b"model"].decode() != task.model_hash:
                return None
            if not task.kept and metadata[b"scores"].decode() != _scored_by(task.scoring):
                return None
        except (CorpusError, KeyError, ValueError):
            return None  # not a token shard of ours: it is written anew
        batches = [reader.get_batch(index) for index in range(reader.num_record_batches)]
        if "synthetic_tokens" not in counts:  # written by an older version, and named by its snapshot as it is
            counts["synthetic_tokens"] = _synthetic_tokens(storage, task.text.path, batches)
        digest = file_hash(path)
        return _encoded(task, path.stat().st_size, digest, Counter(counts), batches, reused=True)


def _synthetic_tokens(storage: Storage, text: str, batches: list[pa.RecordBatch]) -> int:
    with storage.local_copy(text) as path:
        synthetic = [is_synthetic(origins) for origins in read_table(path)["origin"].chunks]
    lengths = [np.diff(batch.column("tokens").offsets.to_numpy()) for batch in batches]
    return int(np.concatenate(lengths)[np.concatenate(synthetic)].sum()) if lengths else 0


def _encoded(
    task: EncodeTask, size: int, digest: str, counts: Counter[str], batches: list[pa.RecordBatch], *, reused: bool
) -> EncodedShard:
    file = ShardFile(
        path=task.name,
        kind="tokens",
        lang=task.text.lang,
        split=task.text.split,
        tokenizer=task.tokenizer,
        rows=counts["documents"],
        size=size,
        hash=digest,
        run_tokens=run_tokens(batches),
    )
    hard, rich = (_column(batches, name) for name in ("difficulty", "diversity"))
    encoded = Encoded(
        file,
        documents=counts["documents"],
        tokens=counts["tokens"],
        synthetic_tokens=counts["synthetic_tokens"],
        bytes=counts["bytes"],
        words=counts["words"],
        reused=reused,
        scored=int(np.count_nonzero(~np.isnan(rich))),
    )
    return EncodedShard(encoded, Histogram.of(hard, HARDEST), Histogram.of(rich, MOST_DIVERSE))


def _column(batches: list[pa.RecordBatch], name: str) -> NDArray[np.float32]:
    """A score of all documents, NaN where they have none."""
    parts = [batch.column(name).to_numpy(zero_copy_only=False) for batch in batches if name in batch.schema.names]
    return np.concatenate(parts).astype(np.float32) if parts else np.empty(0, np.float32)
