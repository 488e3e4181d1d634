"""Evaluation sets: files to items whose text went the same way as that of the documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

import pyarrow as pa
import xxhash

from corpus.errors import ConfigurationError
from corpus.schema import UNDETERMINED
from corpus.tags import to_tag_or_none
from pipeline.decontaminate.config import DecontaminateConfig
from pipeline.language_id.stage import IdentifyStage
from pipeline.sources import InputConfig, plan, read
from pipeline.stage import Stage, with_column

ITEM_SCHEMA: Final = pa.schema(
    [
        pa.field("file", pa.int32()),  # number of the evaluation file
        pa.field("id", pa.string()),  # the item's own id, or # and its place in the file
        pa.field("text", pa.string()),
        pa.field("declared_lang", pa.string()),
    ]
)


@dataclass(frozen=True)
class EvaluationFile:
    """One entry of ``decontaminate.files``."""

    label: str
    """What it is called in details and reports."""
    hash: str
    """Of its items as they were read: 32 hexadecimal digits."""
    records: int
    """Records met, whole or broken."""
    without_text: int
    """Records that hold no text, or are broken."""


@dataclass(frozen=True)
class Evaluation:
    """All items of all files, as they were read."""

    files: tuple[EvaluationFile, ...]
    items: pa.Table

    @property
    def identity(self) -> list[list[str]]:
        """Label and hash of each file: what of them shapes the output."""
        return [[file.label, file.hash] for file in self.files]


def read_evaluation(config: DecontaminateConfig) -> Evaluation:
    """Read the evaluation files.

    Raises:
        InputError: a file is missing, or no record of it has the field that should hold the text.
        ConfigurationError: two entries are the same.
    """
    files, tables = [], []
    labels = file_labels(config.files)
    for number, (entry, label) in enumerate(zip(config.files, labels, strict=True)):
        batches = []
        records = 0
        for split in plan([entry]):
            for batch in read(split, entry):
                records += batch.read
                batches.append(item_batch(batch.records, number))
        table = pa.Table.from_batches(batches, schema=ITEM_SCHEMA)
        digest = xxhash.xxh3_128()
        for row in zip(*(table.column(name).to_pylist() for name in ("id", "text", "declared_lang")), strict=True):
            digest.update("\x1f".join(value or "" for value in row).encode("utf-8", "surrogatepass") + b"\x1e")
        files.append(EvaluationFile(label, digest.hexdigest(), records, records - table.num_rows))
        tables.append(table)
    return Evaluation(tuple(files), pa.concat_tables(tables).combine_chunks())


def item_batch(records: pa.RecordBatch, file: int) -> pa.RecordBatch:
    """Records of a source as items."""
    keys, offsets = records.column("key").to_pylist(), records.column("offset").to_pylist()
    ids = [key if key is not None else f"#{offset}" for key, offset in zip(keys, offsets, strict=True)]
    columns = [
        pa.array([file] * len(ids), pa.int32()),
        pa.array(ids, pa.string()),
        records.column("text"),
        records.column("declared_lang"),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=ITEM_SCHEMA)


def file_labels(files: Sequence[InputConfig]) -> list[str]:
    """What the files are called: their name, else that of the file, with the field where that tells them apart.

    Raises:
        ConfigurationError: two entries are the same.
    """
    plain = [entry.name or PurePosixPath(entry.path.rstrip("/")).name for entry in files]
    fields = [f"{label}:{entry.fields.text}" for label, entry in zip(plain, files, strict=True)]
    paths = [f"{entry.name or entry.path}:{entry.fields.text}" for entry in files]
    labels = []
    for choice in zip(plain, fields, paths, strict=True):
        counts = [Counter(names) for names in (plain, fields, paths)]
        label = next((name for name, count in zip(choice, counts, strict=True) if count[name] == 1), None)
        if label is None:
            raise ConfigurationError(
                f"`prepare.decontaminate.files` names {choice[0]} twice with the same settings", "Remove one of them"
            )
        labels.append(label)
    return labels


def normal_items(items: pa.Table, repairs: Sequence[Stage], identify: IdentifyStage) -> pa.RecordBatch:
    """Items repaired as documents are, with the language ``lang``: the declared one, or else the one that is found.

    Args:
        items: ``ITEM_SCHEMA``.
        repairs: the stages that change a document's text before it is compared.
        identify: for the items that declare no language.
    """
    batches = items.combine_chunks().to_batches()
    batch = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=items.schema)
    for stage in repairs:
        batch = stage(batch).kept
    tags = [to_tag_or_none(label) for label in batch.column("declared_lang").to_pylist()]
    silent = [row for row, tag in enumerate(tags) if tag is None]
    if silent:
        found = identify(batch.take(pa.array(silent))).kept.column("lang").to_pylist()
        for row, tag in zip(silent, found, strict=True):
            tags[row] = tag or UNDETERMINED
    return with_column(batch, "lang", pa.array(tags, pa.string()))
