"""The job that finds boilerplate: keys of lines by site -> the lines that its pages share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam

from corpus.shards import ShardWriter, read_table
from corpus.storage import Storage
from pipeline.boilerplate.config import BoilerplateConfig
from pipeline.boilerplate.count import LINES, from_table, join
from pipeline.boilerplate.count import deal as deal_sites
from pipeline.boilerplate.count import unpack as unpack_counts
from pipeline.boilerplate.select import SELECTED_SCHEMA, select, selected_batch
from pipeline.config import PrepareConfig
from pipeline.graphs.deal import Build, dealt
from pipeline.packed import partitions_for
from pipeline.work import READ


def lines_job(pieces: Sequence[str], work: str, folder: str, config: PrepareConfig) -> Build:
    """Select the boilerplate lines of every site from the lines of all its documents."""
    partitions = partitions_for(len(pieces))

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            dealt(pipeline, "pieces", pieces)
            | "lines" >> beam.FlatMap(piece_lines, work, partitions)
            | "group sites" >> beam.GroupByKey()
            | "select lines" >> beam.Map(select_lines, work, folder, config.boilerplate)
        )

    return build


def piece_lines(name: str, work: str, partitions: int) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    """Packed keys of a piece's lines, by partition of their site."""
    with Storage(work).local_copy(f"{READ}/{name}.{LINES}.arrow") as path:
        yield from deal_sites(from_table(read_table(path)), partitions)


def select_lines(
    element: tuple[int, Iterable[tuple[bytes, bytes]]], work: str, folder: str, config: BoilerplateConfig
) -> None:
    """Keep the boilerplate lines of the sites of one partition.

    The folder's name says what they come from, so a file that an earlier attempt has finished is right.
    """
    number, packed = element
    if Storage(work).exists(f"{folder}/{number:05d}.arrow"):
        return
    selected = select(join(map(unpack_counts, packed), config.sample), config)
    with Storage(work).create(f"{folder}/{number:05d}.arrow") as path, ShardWriter(path, SELECTED_SCHEMA) as writer:
        writer.write(selected_batch(selected))
