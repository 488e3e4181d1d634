"""The job that finds clusters no one worker can hold: links -> large-star and small-star rounds -> labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam

from pipeline.deduplicate.components import (
    EDGE,
    both_ways,
    contract,
    edges_between,
    large_star,
    node_partition,
    small_star,
    unsettled,
)
from pipeline.deduplicate.exact import Rows
from pipeline.deduplicate.resolve import LINK
from pipeline.graphs.deal import Build, dealt
from pipeline.graphs.near_task import NearTask
from pipeline.packed import by_number, unpack
from pipeline.work import write_json


def components_job(task: NearTask, partitions: int, rounds: int, first_round: int) -> Build:
    """Some rounds of large-star and small-star over all links, or over what earlier rounds left of them.

    Args:
        task: what is worked on.
        partitions: of nodes.
        rounds: how many to unroll.
        first_round: 0 begins with the links; each round leaves ``rounds/<n>.json``, the last the labels.
    """
    sources = [("links", piece) for piece in range(task.all_pieces)]
    if first_round:
        sources = [(f"labels-{first_round:03d}", number) for number in range(partitions)]

    def build(pipeline: beam.Pipeline) -> None:
        edges = dealt(pipeline, "sources", sources) | "contract" >> beam.FlatMap(contract_source, task, partitions)
        for step in range(first_round, first_round + rounds):
            stars = edges | f"group large {step}" >> beam.GroupByKey()
            _ = count_unsettled(stars, f"{step}", task, step)
            edges = (
                stars
                | f"large star {step}" >> beam.FlatMap(large_star_step, partitions)
                | f"group small {step}" >> beam.GroupByKey()
                | f"small star {step}" >> beam.FlatMap(small_star_step, partitions)
            )
        last = first_round + rounds
        stars = edges | "group labels" >> beam.GroupByKey()
        _ = count_unsettled(stars, "last", task, last)
        _ = stars | "keep labels" >> beam.Map(write_labels, task, f"labels-{last:03d}")

    return build


def contract_source(source: tuple[str, int], task: NearTask, partitions: int) -> Iterator[tuple[int, bytes]]:
    """The links of a piece, or the edges an earlier job left in a partition, as stars, dealt to both of their nodes."""
    kind, name = source
    if kind == "links":
        links = task.read(kind, name, LINK)
        edges = edges_between(links["first"], links["second"])
    else:
        edges = task.read(kind, name, EDGE)
    yield from deal_edges(both_ways(contract(edges)), partitions)


def deal_edges(edges: Rows, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Packed edges by partition of the node they are seen from."""
    yield from by_number(edges, node_partition(edges["node"], partitions))


def large_star_step(element: tuple[int, Iterable[bytes]], partitions: int) -> Iterator[tuple[int, bytes]]:
    """Large-star on the nodes of one partition."""
    yield from deal_edges(large_star(unpack(element[1], EDGE)), partitions)


def small_star_step(element: tuple[int, Iterable[bytes]], partitions: int) -> Iterator[tuple[int, bytes]]:
    """Small-star on the nodes of one partition; its edges go to both of their nodes."""
    yield from deal_edges(both_ways(small_star(unpack(element[1], EDGE))), partitions)


def count_unsettled(stars: Any, name: str, task: NearTask, step: int) -> Any:
    """Keep how many nodes do not point to the least of their component before a step."""
    return (
        stars
        | f"unsettled {name}" >> beam.Map(unsettled_nodes)
        | f"count {name}" >> beam.CombineGlobally(sum)
        | f"keep count {name}" >> beam.Map(write_json, task.work, f"{task.folder}/rounds/{step:03d}.json")
    )


def unsettled_nodes(element: tuple[int, Iterable[bytes]]) -> int:
    """How many nodes of one partition do not point to the least of their component."""
    return unsettled(unpack(element[1], EDGE))


def write_labels(element: tuple[int, Iterable[bytes]], task: NearTask, kind: str) -> None:
    """Keep the edges of a partition to smaller nodes: of a settled graph, each node's to the least it reaches."""
    edges = unpack(element[1], EDGE)
    task.write(kind, element[0], edges[edges["other"] < edges["node"]])
