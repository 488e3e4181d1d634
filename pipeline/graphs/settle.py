"""The job that settles near duplicates: links by cluster -> what stays -> decisions by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
import numpy as np

from corpus.storage import Storage
from pipeline.config import PrepareConfig
from pipeline.deduplicate.candidates import place
from pipeline.deduplicate.cluster import settle_clusters
from pipeline.deduplicate.components import EDGE, edges_between, least_reachable, node_partition
from pipeline.deduplicate.resolve import FATE, LINK, MEMBER
from pipeline.deduplicate.shingles import UInt64s
from pipeline.graphs.deal import Build, dealt
from pipeline.graphs.near_task import NearTask
from pipeline.graphs.sketch import MergeSketches, sketch_piece, write_sketches
from pipeline.match import MOVE, exact_copies, follow, read_decisions, settle_earlier, settle_piece, write_decisions
from pipeline.packed import by_number, by_partition, by_piece, unpack
from pipeline.work import write_json

_COPIES = "copies"


def settle_job(task: NearTask, partitions: int, labels: str | None, config: PrepareConfig, seed: int) -> Build:
    """Decide what stays of every cluster, and write the decisions on every piece.

    Args:
        task: what is worked on.
        partitions: of nodes and clusters.
        labels: kind of the files that ``components_job`` left; None where there is one partition, which finds the
            components itself.
        config: settings.
        seed: decides what is held out.
    """

    def build(pipeline: beam.Pipeline) -> None:
        pieces = dealt(pipeline, "pieces", range(task.all_pieces))
        links = pieces | "links" >> beam.FlatMap(piece_links, task, partitions)
        members = pieces | "members" >> beam.FlatMap(piece_members, task, partitions)
        clusters = (
            {"links": links, "members": members}
            | "group nodes" >> beam.CoGroupByKey()
            | "label" >> beam.FlatMap(label, task, labels, partitions)
            | "group clusters" >> beam.GroupByKey()
            | "decide" >> beam.ParDo(Decide(task)).with_outputs(_COPIES, main="fates")
        )
        copies = pieces | "exact copies" >> beam.FlatMap(piece_copies, task)
        moves = (
            {"copies": copies, "targets": clusters[_COPIES]}
            | "group ids" >> beam.CoGroupByKey()
            | "follow" >> beam.FlatMap(follow_copies)
        )
        every = pieces | "every piece" >> beam.Map(lambda piece: (piece, True))
        _ = (
            {"every": every, "fates": clusters.fates, "moves": moves}
            | "group decisions" >> beam.CoGroupByKey()
            | "keep decisions" >> beam.Map(write_final, task)
            | "sketch" >> beam.Map(sketch_piece, task.work, f"{task.folder}/final", list(task.pieces), config, seed)
            | "merge sketches" >> beam.CombineGlobally(MergeSketches(config))
            | "keep sketches" >> beam.Map(write_sketches, task.work, task.folder)
        )

    return build


def piece_links(piece: int, task: NearTask, partitions: int) -> Iterator[tuple[int, bytes]]:
    """The links that a piece answers for, by partition of their first document."""
    links = task.read("links", piece, LINK)
    yield from by_number(links, node_partition(links["first"], partitions))


def piece_members(piece: int, task: NearTask, partitions: int) -> Iterator[tuple[int, bytes]]:
    """The documents of those links, by partition."""
    members = task.read("members", piece, MEMBER)
    yield from by_number(members, node_partition(members["document"], partitions))


def label(
    element: tuple[int, Mapping[str, Iterable[bytes]]], task: NearTask, labels: str | None, partitions: int
) -> Iterator[tuple[int, tuple[str, bytes, bytes]]]:
    """Links and documents of one partition of nodes, with the label of their component, by partition of the label."""
    target, grouped = element
    rows = {"links": unpack(grouped["links"], LINK), "members": unpack(grouped["members"], MEMBER)}
    if labels is None:
        edges = edges_between(rows["links"]["first"], rows["links"]["second"])
        nodes, least = least_reachable(edges)
    else:
        edges = np.sort(task.read(labels, target, EDGE), order="node")
        nodes, least = edges["node"], edges["other"]
    for kind, name in (("links", "first"), ("members", "document")):
        roots = root_of(rows[kind][name], nodes, least)
        numbers = node_partition(roots, partitions)
        order = np.argsort(numbers, kind="stable")
        for one, packed in by_number(rows[kind], numbers):
            chosen = order[numbers[order] == one]
            yield one, (kind, packed, roots[chosen].tobytes())


def root_of(documents: UInt64s, nodes: UInt64s, least: UInt64s) -> UInt64s:
    """The label of each document: itself where it points to no other."""
    if not len(nodes):
        return documents
    at = np.minimum(np.searchsorted(nodes, documents), len(nodes) - 1)
    return np.where(nodes[at] == documents, least[at], documents)


class Decide(beam.DoFn):
    """Clusters of one partition -> the fates of their documents by piece, and by id of those that had exact copies."""

    def __init__(self, task: NearTask) -> None:
        self.task = task

    def process(self, element: tuple[int, Iterable[tuple[str, bytes, bytes]]]) -> Iterator[Any]:
        parts: dict[str, list[bytes]] = {"links": [], "members": [], "roots": []}
        for kind, rows, labels in element[1]:
            parts[kind].append(rows)
            if kind == "members":
                parts["roots"].append(labels)
        members, links = unpack(parts["members"], MEMBER), unpack(parts["links"], LINK)
        roots = np.frombuffer(b"".join(parts["roots"]), dtype="<u8")
        found, account = settle_clusters(members, links, roots, self.task.documents, self.task.config)
        write_json(account, self.task.work, f"{self.task.folder}/clusters/{element[0]:06d}.json")
        yield from by_number(found, place(found["document"])[0].astype(np.int64))
        # An exact copy points to the document it is a copy of by id, and has to be told where that went.
        for one, packed in by_partition(found, "id", self.task.partitions):
            yield beam.pvalue.TaggedOutput(_COPIES, (one, packed))


def piece_copies(piece: int, task: NearTask) -> Iterator[tuple[int, bytes]]:
    """The exact duplicates of a piece by partition of the id they point to; there are none among earlier documents."""
    if piece >= len(task.pieces):
        return
    copies = exact_copies(piece, read_decisions(Storage(task.work), f"{task.folder}/exact", task.pieces[piece]))
    yield from by_partition(copies, "other", task.partitions)


def follow_copies(element: tuple[int, Mapping[str, Iterable[bytes]]]) -> Iterator[tuple[int, bytes]]:
    """New places to point to, by piece."""
    grouped = element[1]
    yield from by_piece(follow(unpack(grouped["copies"], MOVE), unpack(grouped["targets"], FATE)))


def write_final(element: tuple[int, Mapping[str, Iterable[Any]]], task: NearTask) -> int:
    """Keep the decisions on one piece."""
    piece, grouped = element
    name, storage = task.name(piece), Storage(task.work)
    match = read_decisions(storage, f"{task.folder}/exact", name)
    if piece >= len(task.pieces):
        write_decisions(storage, f"{task.folder}/final/{name}", settle_earlier(match, unpack(grouped["fates"], FATE)))
        return piece
    batch = settle_piece(match, unpack(grouped["fates"], FATE), unpack(grouped["moves"], MOVE))
    write_decisions(storage, f"{task.folder}/final/{name}", batch)
    return piece
