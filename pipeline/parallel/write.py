"""Kept groups to token shards, rejected sentences and broken lines to a shard of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, groupby
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.hashing import file_hash
from corpus.manifest import FileKind, ShardFile
from corpus.parallel import PARALLEL_REJECTED_SCHEMA, pair_name, parallel_schema
from corpus.schema import HELDOUT, TRAIN
from corpus.shards import ShardWriter
from corpus.storage import Storage
from pipeline.parallel.batches import Batch
from pipeline.parallel.rules import REASONS
from pipeline.tokenizer.model import TextTokenizer

PART_TOKENS: Final = 1 << 25
"""Tokens after which a shard ends and another begins."""

STAGE: Final = "parallel"


class Counts:
    """What was kept, by language and by pair."""

    def __init__(self) -> None:
        self.kept: Counter[str] = Counter()
        """Sentences by language."""
        self.groups: Counter[str] = Counter()
        """By split."""
        self.tokens: Counter[str] = Counter()
        """Of training, by language."""
        self.pairs: dict[str, Counter[str]] = {TRAIN: Counter(), HELDOUT: Counter()}


class Shards:
    """Writes the shards of one input file.

    Args:
        storage: the corpus.
        name: of the shards, up to the part that tells them apart.
        tokenizer: encodes.
        tokenizer_name: in the snapshot.
        source: of the groups.
        counts: added to.
    """

    def __init__(
        self, storage: Storage, name: str, tokenizer: TextTokenizer, tokenizer_name: str, source: str, counts: Counts
    ) -> None:
        self.files: list[ShardFile] = []
        self._storage = storage
        self._name = name
        self._tokenizer = tokenizer
        self._tokenizer_name = tokenizer_name
        self._source = source
        self._counts = counts
        self._schema = parallel_schema(tokenizer.vocabulary)
        self._kept: dict[str, list[pa.RecordBatch]] = {TRAIN: [], HELDOUT: []}
        self._size: Counter[str] = Counter()
        self._parts: Counter[str] = Counter()
        self._rejected: list[dict[str, Any]] = []

    def add(self, batch: Batch, reasons: npt.NDArray[np.int64]) -> None:
        """Take in some groups and what was decided on each sentence."""
        kept = reasons < 0
        for split, heldout in ((TRAIN, False), (HELDOUT, True)):
            chosen = np.flatnonzero(kept & (batch.sentences.heldout == heldout))
            if len(chosen):
                self._keep(batch, chosen, split)
        langs, texts = batch.sentences.langs, batch.sentences.texts
        for place in np.flatnonzero(~kept).tolist():
            group = int(batch.sentences.groups[place])
            self._rejected.append(
                {
                    "id": batch.ids[group],
                    "key": batch.records[group].key,
                    "text": texts[place].as_py(),
                    "lang": langs[place].as_py(),
                    "declared_lang": batch.declared[place],
                    "file": batch.file,
                    "line": batch.records[group].line,
                    "stage": STAGE,
                    "reason": REASONS[reasons[place]],
                }
            )
        self._rejected += [
            {
                "text": broken.raw,
                "file": batch.file,
                "line": broken.line,
                "stage": "read",
                "reason": broken.reason,
                "detail": broken.detail,
            }
            for broken in batch.broken
        ]

    def close(self) -> None:
        """Write what is left."""
        for split in (TRAIN, HELDOUT):
            self._flush(split)
        if self._rejected:
            columns = {
                field.name: pa.array([row.get(field.name) for row in self._rejected], _plain(field.type))
                for field in PARALLEL_REJECTED_SCHEMA
            }
            batch = pa.RecordBatch.from_pydict(columns)
            self._write("rejected", "parallel_rejected", None, PARALLEL_REJECTED_SCHEMA, [batch], len(self._rejected))

    def _keep(self, batch: Batch, chosen: npt.NDArray[np.int64], split: str) -> None:
        tags = batch.sentences.langs.take(pa.array(chosen)).to_pylist()
        owners = batch.sentences.groups[chosen].tolist()
        order = sorted(range(len(chosen)), key=lambda place: (owners[place], tags[place]))
        tags, owners = [tags[place] for place in order], [owners[place] for place in order]
        texts: list[str] = batch.sentences.texts.take(pa.array(chosen[order])).to_pylist()
        tokens, offsets = self._tokenizer.encode_documents(texts)
        kind = self._schema.field("tokens").type.value_type
        values = pa.array(tokens.astype(kind.value_type.to_pandas_dtype()))
        sides = [len(list(same)) for _, same in groupby(owners)]
        bounds = pa.array(np.concatenate([[0], np.cumsum(sides)]).astype(np.int32))

        def listed(items: pa.Array, field: str) -> pa.ListArray:
            return pa.ListArray.from_arrays(bounds, items, type=self._schema.field(field).type)

        ids = [batch.ids[group] for group, _ in groupby(owners)]
        columns = {
            "id": pa.array(ids),
            "source": pa.array([self._source] * len(ids)),
            "langs": listed(pa.array(tags), "langs"),
            "tokens": listed(pa.ListArray.from_arrays(pa.array(offsets), values, type=kind), "tokens"),
            "bytes": listed(pa.array([len(text.encode()) for text in texts], pa.int32()), "bytes"),
        }
        self._kept[split].append(pa.RecordBatch.from_pydict(columns))
        self._count(split, tags, owners, np.diff(offsets).tolist())
        self._size[split] += len(tokens)
        if self._size[split] >= PART_TOKENS:
            self._flush(split)

    def _count(self, split: str, tags: Sequence[str], owners: Sequence[int], lengths: Sequence[int]) -> None:
        counts = self._counts
        counts.kept.update(tags)
        for _, same in groupby(zip(owners, tags, strict=True), key=lambda item: item[0]):
            counts.groups[split] += 1
            counts.pairs[split].update(pair_name(a[1], b[1]) for a, b in combinations(same, 2))
        if split == TRAIN:
            for tag, length in zip(tags, lengths, strict=True):
                counts.tokens[tag] += length

    def _flush(self, split: str) -> None:
        batches = self._kept[split]
        if not batches:
            return
        rows = sum(batch.num_rows for batch in batches)
        self._write(f"{self._parts[split]:03d}-{split}", "parallel", split, self._schema, batches, rows)
        self._kept[split], self._size[split] = [], 0
        self._parts[split] += 1

    def _write(
        self,
        ending: str,
        kind: FileKind,
        split: str | None,
        schema: pa.Schema,
        batches: Sequence[pa.RecordBatch],
        rows: int,
    ) -> None:
        name = f"{self._name}-{ending}.arrow"
        with self._storage.create(name) as path:
            with ShardWriter(path, schema) as writer:
                for batch in batches:
                    writer.write(batch)
            size, digest = path.stat().st_size, file_hash(path)
        self.files.append(
            ShardFile(
                path=name, kind=kind, split=split, tokenizer=self._tokenizer_name, rows=rows, size=size, hash=digest
            )
        )


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
