"""The job that notes which keys a run's documents have: of earlier ones only rows that may match need to travel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam
import numpy as np

from corpus.storage import Storage
from pipeline.earlier.filter import NewKeys, piece_places, write_range
from pipeline.graphs.deal import Build, dealt
from pipeline.packed import by_number
from pipeline.work import read_staged


def new_keys_job(pieces: Sequence[str], keys: NewKeys) -> Build:
    """Note which keys the documents of this run have."""

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            dealt(pipeline, "pieces", pieces)
            | "places" >> beam.FlatMap(deal_places, keys)
            | "group places" >> beam.GroupByKey()
            | "write places" >> beam.Map(write_places, keys)
        )

    return build


def deal_places(piece: str, keys: NewKeys) -> Iterator[tuple[int, bytes]]:
    """Places of the keys of a piece in the table of new keys, by part of the table."""
    table = read_staged(Storage(keys.work), piece, ["id", "text_key", "bands", "sampled"])
    places = piece_places(table, keys)
    yield from by_number(places, keys.part_of(places))


def write_places(element: tuple[int, Iterable[bytes]], keys: NewKeys) -> None:
    """Write one part of the table."""
    part, packed = element
    write_range(Storage(keys.work), keys, part, np.frombuffer(b"".join(packed), np.uint32))
