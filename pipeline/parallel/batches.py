"""Records of a file as columns, some thousand at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import xxhash

from corpus.hashing import record_id
from corpus.tags import to_tag_or_none
from pipeline.parallel.read import Broken, ParallelFile, Record, read_records
from pipeline.parallel.rules import Sentences, is_heldout

RECORDS: Final = 4096


class Batch(NamedTuple):
    """Consecutive records of a file, and the broken lines between them."""

    file: str
    records: list[Record]
    """One for each group."""
    ids: list[str]
    """Of the groups."""
    documents: list[str]
    """What decides whether a group is held out: its document and source, or its own id."""
    declared: list[str]
    """What the source calls the language of each sentence."""
    sentences: Sentences
    broken: list[Broken]

    @property
    def read(self) -> int:
        """Sentences and broken lines, as the ledger counts them."""
        return sum(len(record.sides) for record in self.records) + len(self.broken)


def batches(
    file: ParallelFile,
    share: float,
    seed: int,
    digest: xxhash.xxh3_128 | None = None,
    languages: Collection[str] | None = None,
) -> Iterator[Batch]:
    """The records of a file.

    Args:
        file: to be read.
        share: of the documents to be held out.
        seed: of that choice.
        digest: fed with what was read, in order; None for none.
        languages: tags whose sentences alone are wanted; the others are left out unseen, and so are records without
            any. None for all.

    Raises:
        InputError: the file cannot be read, or its header names no two sentences.
    """
    records: list[Record] = []
    broken: list[Broken] = []
    for found in read_records(file):
        if digest is not None:
            digest.update(repr(found).encode("utf-8", "surrogatepass"))
        if isinstance(found, Record):
            wanted = found if languages is None else _only(found, languages)
            if wanted.sides:
                records.append(wanted)
        else:
            broken.append(found)
        if len(records) + len(broken) == RECORDS:
            yield _batch(file, records, broken, share, seed)
            records, broken = [], []
    if records or broken:
        yield _batch(file, records, broken, share, seed)


def _only(record: Record, languages: Collection[str]) -> Record:
    return record._replace(sides=tuple(side for side in record.sides if to_tag_or_none(side.declared) in languages))


def _batch(file: ParallelFile, records: list[Record], broken: list[Broken], share: float, seed: int) -> Batch:
    ids = [record_id(file.source, record.key or f"{file.path}:{record.line}") for record in records]
    sides = [len(record.sides) for record in records]
    documents = [
        own if record.document is None else f"{file.source}\x1f{record.document}"
        for own, record in zip(ids, records, strict=True)
    ]
    heldout = [is_heldout(record.split, own, share, seed) for record, own in zip(records, documents, strict=True)]
    declared = [side.declared for record in records for side in record.sides]
    sentences = Sentences(
        groups=np.repeat(np.arange(len(records)), sides),
        langs=pa.array([to_tag_or_none(label) for label in declared], pa.string()),
        texts=pa.array([side.text for record in records for side in record.sides], pa.string()),
        heldout=np.repeat(np.array(heldout, dtype=bool), sides),
    )
    return Batch(file.path, records, ids, documents, declared, sentences, broken)
