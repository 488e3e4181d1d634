"""Text shards to token shards."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import CorpusError
from corpus.hashing import file_hash
from corpus.manifest import ShardFile
from corpus.schema import token_schema
from corpus.shards import ShardWriter, open_shard, read_table
from corpus.storage import Storage
from corpus.tags import UNSPACED
from pipeline.tokenizer.model import Tokenizer, read_model

BATCH_DOCUMENTS: Final = 1024
"""Documents in a record batch of a token shard."""


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


@dataclass(frozen=True)
class Encoded:
    """A token shard and what was counted while writing it."""

    file: ShardFile
    documents: int
    tokens: int
    """With one end for each document."""
    bytes: int
    words: int
    """Words, or characters for scripts without spaces."""
    reused: bool
    """It was there already."""


def encode_shard(task: EncodeTask) -> Encoded:
    """Encode one text shard, unless its token shard exists and was made from the same text and model.

    The columns are those of :func:`corpus.schema.token_schema`, the rows in the order of the text shard's.

    Raises:
        CorpusError: the text shard or the model is missing or damaged.
    """
    storage = Storage(task.root)
    found = _existing(storage, task)
    if found is not None:
        return found
    tokenizer = _tokenizer(task.root, task.model, task.model_hash)
    schema = token_schema(tokenizer.vocabulary)
    counts: Counter[str] = Counter(documents=0, tokens=0, bytes=0, words=0)
    batches = []
    with storage.local_copy(task.text.path) as source:
        table = read_table(source).select(["id", "text"])
        for start in range(0, table.num_rows, BATCH_DOCUMENTS):
            part = table.slice(start, BATCH_DOCUMENTS).combine_chunks()
            batch, counted = encode_batch(tokenizer, part["id"].chunk(0), part["text"].chunk(0), str(task.text.lang))
            batches.append(batch)
            counts.update(counted)
    metadata = {"text": task.text.hash, "model": task.model_hash, "counts": json.dumps(counts, sort_keys=True)}
    with storage.create(task.name) as path:
        with ShardWriter(path, schema, metadata=metadata) as writer:
            for batch in batches:
                writer.write(batch)
        size, digest = path.stat().st_size, file_hash(path)
    return _encoded(task, size, digest, counts, reused=False)


def encode_batch(
    tokenizer: Tokenizer, ids: pa.StringArray, texts: pa.StringArray, lang: str
) -> tuple[pa.RecordBatch, dict[str, int]]:
    """Encode some documents.

    Args:
        tokenizer: the model.
        ids: n ids.
        texts: n texts.
        lang: tag; its script says whether words or characters are counted.

    Returns:
        a batch of :func:`corpus.schema.token_schema`, and the counts documents, tokens, bytes and words.
    """
    schema = token_schema(tokenizer.vocabulary)
    listed: list[str] = texts.to_pylist()
    tokens, offsets = tokenizer.encode_documents(listed)
    kind = schema.field("tokens").type
    values = pa.array(tokens.astype(kind.value_type.to_pandas_dtype()))
    lists = pa.ListArray.from_arrays(pa.array(offsets), values, type=kind)
    sizes = pc.cast(pc.binary_length(texts), pa.int32())
    counts = {
        "documents": len(listed),
        "tokens": len(tokens),
        "bytes": int(np.sum(sizes.to_numpy(zero_copy_only=False), dtype=np.int64)),
        "words": sum(words(text, lang) for text in listed),
    }
    return pa.RecordBatch.from_arrays([ids, lists, sizes], schema=schema), counts


def words(text: str, lang: str) -> int:
    """Words between spaces, or characters other than spaces where the language's script has no spaces."""
    parts = text.split()
    return sum(map(len, parts)) if lang.rpartition("_")[2] in UNSPACED else len(parts)


@lru_cache(maxsize=1)
def _tokenizer(root: str, model: str, expected: str) -> Tokenizer:
    return Tokenizer(read_model(Storage(root), model, expected))


def _existing(storage: Storage, task: EncodeTask) -> Encoded | None:
    if not storage.exists(task.name):
        return None
    with storage.local_copy(task.name) as path:
        try:
            metadata = open_shard(path).schema.metadata or {}
            counts = json.loads(metadata[b"counts"])
            if metadata[b"text"].decode() != task.text.hash or metadata[b"model"].decode() != task.model_hash:
                return None
        except (CorpusError, KeyError, ValueError):
            return None  # not a token shard of ours: it is written anew
        return _encoded(task, path.stat().st_size, file_hash(path), Counter(counts), reused=True)


def _encoded(task: EncodeTask, size: int, digest: str, counts: Counter[str], *, reused: bool) -> Encoded:
    file = ShardFile(
        path=task.name,
        kind="tokens",
        lang=task.text.lang,
        split=task.text.split,
        tokenizer=task.tokenizer,
        rows=counts["documents"],
        size=size,
        hash=digest,
    )
    return Encoded(file, counts["documents"], counts["tokens"], counts["bytes"], counts["words"], reused)
