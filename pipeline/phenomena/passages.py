"""Passages: neighbouring sentences of one natural document, with the rare phenomena in them.

A *carrier* holds wanted phenomena; a *host*, of ordinary text, is what sentences are inserted into. Their tables stay
small however large a language is: of each phenomenon the carriers with the smallest hashes are kept, and so of all
hosts. Which these are does not depend on batches or their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import pyarrow as pa

from pipeline.phenomena.config import PhenomenaConfig

CARRIER: Final = "carrier"
HOST: Final = "host"

PASSAGE_SCHEMA: Final = pa.schema(
    [
        pa.field("order", pa.uint64(), nullable=False),  # hash by which passages are chosen
        pa.field("role", pa.string(), nullable=False),
        pa.field("document", pa.string(), nullable=False),  # id
        pa.field("source", pa.string(), nullable=False),  # of the document
        pa.field("file", pa.string(), nullable=False),  # text shard, as the caller names it
        pa.field("offset", pa.int64(), nullable=False),  # row of the document in it
        pa.field("first", pa.int32(), nullable=False),  # number of the first sentence in the document
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("cut", pa.int32(), nullable=False),  # of a host: characters before the place of insertion
        pa.field("gap", pa.string(), nullable=False),  # of a host: what stands there between its sentences
        pa.field("words", pa.list_(pa.int32()), nullable=False),  # of each sentence
        pa.field("sentences", pa.list_(pa.uint64()), nullable=False),  # hash of each, as it is in the document
        pa.field("core", pa.list_(pa.int32()), nullable=False),  # phenomena that a carrier is kept for
        pa.field("phenomena", pa.list_(pa.int32()), nullable=False),  # wanted ones in the passage, by Plan.number
        pa.field("counts", pa.list_(pa.int32()), nullable=False),  # sentences of the passage that have each
        pa.field("replaced", pa.list_(pa.string()), nullable=False),  # word, form in its place, cell; or nothing
    ]
)


def passages_batch(rows: Iterable[dict[str, object]]) -> pa.RecordBatch:
    """Rows of PASSAGE_SCHEMA as a batch."""
    return pa.RecordBatch.from_pylist(list(rows), schema=PASSAGE_SCHEMA)


def keep(batches: Iterable[pa.RecordBatch], config: PhenomenaConfig) -> pa.RecordBatch:
    """The passages to choose from, of some tables of them: merged in any order and grouping, the same ones."""
    table = pa.Table.from_batches(batches, schema=PASSAGE_SCHEMA).combine_chunks()
    if not table.num_rows:
        return passages_batch([])
    documents = table.column("document").to_numpy().astype(str)
    texts = table.column("text").to_numpy().astype(str)
    places, order = table.column("first").to_numpy(), table.column("order").to_numpy()
    (batch,) = table.take(pa.array(np.lexsort((texts, places, documents, order)))).combine_chunks().to_batches()
    hosts = np.array([role == HOST for role in batch.column("role").to_pylist()], np.bool_)
    stays = np.zeros(batch.num_rows, np.bool_)
    stays[np.flatnonzero(hosts)[: config.hosts]] = True
    core = batch.column("core")
    phenomena = core.flatten().to_numpy(zero_copy_only=False)
    owners = np.repeat(np.arange(batch.num_rows), core.value_lengths().to_numpy(zero_copy_only=False))
    sorting = np.lexsort((owners, phenomena))
    phenomena, owners = phenomena[sorting], owners[sorting]
    rank = np.arange(len(phenomena)) - np.searchsorted(phenomena, phenomena)
    stays[owners[rank < config.options]] = True
    return batch.filter(pa.array(stays))
