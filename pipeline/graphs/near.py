"""The job that finds near duplicates: keys of kept documents -> candidates -> verified links by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import apache_beam as beam
import numpy as np
import numpy.typing as npt

from corpus.storage import Storage
from pipeline.deduplicate.candidates import (
    KEY,
    PAIR,
    ROW_BITS,
    candidate_pairs,
    number,
    partition_of,
    place,
    unique_pairs,
)
from pipeline.deduplicate.exact import Rows
from pipeline.deduplicate.verify import verify
from pipeline.earlier.documents import earlier_keys
from pipeline.graphs.deal import Build, dealt
from pipeline.graphs.near_task import NearTask
from pipeline.match import near_keys, read_decisions
from pipeline.packed import by_number, unpack
from pipeline.work import encode, read_staged


def near_job(task: NearTask) -> Build:
    """Find pairs that share a key, and verify them."""

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            dealt(pipeline, "pieces", range(task.all_pieces))
            | "keys" >> beam.FlatMap(piece_keys, task)
            | "group keys" >> beam.GroupByKey()
            | "candidates" >> beam.FlatMap(candidates, task)
            | "group candidates" >> beam.GroupByKey()
            | "verify" >> beam.Map(verify_piece, task)
        )

    return build


def piece_keys(piece: int, task: NearTask) -> Iterator[tuple[int, tuple[int, bytes]]]:
    """Keys of the kept documents of a piece, by partition of the key; each says which piece it comes from."""
    if piece >= len(task.pieces) and task.new_keys is not None:
        keys = earlier_keys(task.earlier[piece - len(task.pieces)], task.new_keys)
    else:
        storage, name = Storage(task.work), task.pieces[piece]
        match = read_decisions(storage, f"{task.folder}/exact", name)
        keys = near_keys(read_staged(storage, name, ["bands", "sampled", "quality"]), match)
    for target, packed in by_number(keys, partition_of(keys["key"], task.partitions)):
        yield target, (piece, packed)


def candidates(element: tuple[int, Iterable[tuple[int, bytes]]], task: NearTask) -> Iterator[tuple[int, bytes]]:
    """Pairs that share a key of one partition, by the piece of one of the two: of either about as often."""
    keys, documents = [], []
    for piece, packed in element[1]:
        rows = np.frombuffer(packed, dtype=KEY)
        keys.append(rows)
        documents.append(number(piece, rows["row"]))
    rows = np.concatenate(keys)
    earlier = len(task.pieces) << ROW_BITS if task.earlier else None
    pairs = candidate_pairs(rows["key"], np.concatenate(documents), rows["order"], earlier)
    yield from by_number(pairs, owner(pairs))


def owner(pairs: Rows) -> npt.NDArray[np.int64]:
    """The piece that answers for each pair."""
    chosen = np.where((pairs["first"] + pairs["second"]) & np.uint64(1), pairs["first"], pairs["second"])
    return place(chosen)[0].astype(np.int64)


def verify_piece(element: tuple[int, Iterable[bytes]], task: NearTask) -> None:
    """Compare the pairs that a piece answers for; what is alike becomes links, with what is to be known of both.

    The folder's name says what the pairs come from, so work that an earlier attempt has finished is right.
    """
    piece, packed = element
    account = f"{task.folder}/links/{piece:06d}.json"
    storage = Storage(task.work)
    if storage.exists(account):
        return
    pairs = unique_pairs(unpack(packed, PAIR))
    links = verify(pairs["first"], pairs["second"], task.documents, task.config)
    task.write("links", piece, links)
    task.write("members", piece, task.documents.members(np.union1d(links["first"], links["second"])))
    storage.write_bytes(account, encode({"candidates": len(pairs), "links": len(links)}))
