"""The Beam jobs that find near duplicates among what ``match`` kept.

    near        keys of kept documents -> candidates -> verified links by piece
    components  links -> large-star and small-star rounds -> labels     (only where one worker cannot hold the links)
    settle      links by cluster -> what stays -> decisions by piece

Keys, pairs and links travel as packed arrays by partition; texts are read where they lie. Every job leaves files,
and the next begins with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt

from corpus.storage import Storage
from pipeline.config import PrepareConfig
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
from pipeline.deduplicate.cluster import settle_clusters
from pipeline.deduplicate.components import (
    EDGE,
    both_ways,
    contract,
    edges_between,
    large_star,
    least_reachable,
    node_partition,
    small_star,
    unsettled,
)
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.documents import Documents
from pipeline.deduplicate.exact import Rows, partition
from pipeline.deduplicate.resolve import FATE, LINK, MEMBER
from pipeline.deduplicate.shingles import UInt64s
from pipeline.deduplicate.verify import verify
from pipeline.documents import StagedDocuments
from pipeline.earlier.documents import EarlierPart, JoinedDocuments, earlier_keys, earlier_name
from pipeline.earlier.filter import NewKeys
from pipeline.graph import (
    MergeSketches,
    by_number,
    by_piece,
    sketch_piece,
    unpack,
    write_decisions,
    write_json,
    write_sketches,
)
from pipeline.match import MOVE, exact_copies, follow, near_keys, read_decisions, settle_earlier, settle_piece
from pipeline.work import encode, read_staged

Build = Callable[[beam.Pipeline], None]
_COPIES = "copies"


@dataclass(frozen=True)
class NearTask:
    """What the jobs have in common; small enough to be sent to each worker."""

    work: str
    folder: str
    """Of the decisions, in ``work``."""
    pieces: tuple[str, ...]
    config: NearDuplicateConfig
    earlier: tuple[EarlierPart, ...] = ()
    """Earlier documents, as pieces numbered after those of the run."""
    new_keys: NewKeys | None = None
    """The keys of this run's documents; needed where there are earlier ones."""

    @property
    def documents(self) -> Documents:
        """The documents compared."""
        staged = StagedDocuments(self.work, self.pieces, f"{self.folder}/exact")
        return JoinedDocuments(staged, self.earlier) if self.earlier else staged

    @property
    def all_pieces(self) -> int:
        """Pieces of the run and of earlier documents."""
        return len(self.pieces) + len(self.earlier)

    @property
    def partitions(self) -> int:
        """Of keys."""
        return max(1, min(256, self.all_pieces))

    def name(self, piece: int) -> str:
        """Name of the files about a piece."""
        return self.pieces[piece] if piece < len(self.pieces) else earlier_name(piece - len(self.pieces))

    def file(self, kind: str, name: str | int) -> str:
        """A file of one piece or partition."""
        return f"{self.folder}/{kind}/{name}.bin"

    def read(self, kind: str, name: str | int, dtype: np.dtype[np.void]) -> Rows:
        """Packed rows of such a file; none where it is missing."""
        storage, file = Storage(self.work), self.file(kind, name)
        return np.frombuffer(storage.read_bytes(file) if storage.exists(file) else b"", dtype=dtype)

    def write(self, kind: str, name: str | int, rows: Rows) -> None:
        """Keep packed rows."""
        Storage(self.work).write_bytes(self.file(kind, name), rows.tobytes())


def near_job(task: NearTask) -> Build:
    """Find pairs that share a key, and verify them."""

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            deal_pieces(pipeline, task)
            | "keys" >> beam.FlatMap(piece_keys, task)
            | "group keys" >> beam.GroupByKey()
            | "candidates" >> beam.FlatMap(candidates, task)
            | "group candidates" >> beam.GroupByKey()
            | "verify" >> beam.Map(verify_piece, task)
        )

    return build


def deal_pieces(pipeline: beam.Pipeline, task: NearTask) -> Any:
    """The numbers of all pieces, spread over the workers."""
    numbers = pipeline | "pieces" >> beam.Create(list(range(task.all_pieces)), reshuffle=False)
    return numbers | "deal pieces" >> beam.Reshuffle()


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
        edges = (
            pipeline
            | "sources" >> beam.Create(sources, reshuffle=False)
            | "deal sources" >> beam.Reshuffle()
            | "contract" >> beam.FlatMap(contract_source, task, partitions)
        )
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
        pieces = deal_pieces(pipeline, task)
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
        for one, packed in by_number(found, partition(found, "id", self.task.partitions)):
            yield beam.pvalue.TaggedOutput(_COPIES, (one, packed))


def piece_copies(piece: int, task: NearTask) -> Iterator[tuple[int, bytes]]:
    """The exact duplicates of a piece by partition of the id they point to; there are none among earlier documents."""
    if piece >= len(task.pieces):
        return
    copies = exact_copies(piece, read_decisions(Storage(task.work), f"{task.folder}/exact", task.pieces[piece]))
    yield from by_number(copies, partition(copies, "other", task.partitions))


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
