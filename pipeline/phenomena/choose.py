"""Which carriers are used, and how often.

Greedy, by gain for a byte (cost-benefit greedy: Leskovec et al., KDD 2007), with gains computed again only when a
carrier comes to the top (Minoux 1978), which gives the same choice because gains only ever fall:

    gain(carrier) = Σ over phenomena p of  weight(kind) / planned(kind) * min(count, still wanted) / wanted
    score         = gain / (bytes * (1 + uses so far + passages of its document so far))

A carrier is out where one of its sentences was used `uses` times or its document `document_uses` times, where it would
lift a phenomenon above `multiple` of what is natural, or where it no longer fits the language's share. Ties go
to the smaller hash.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.phenomena.config import PhenomenaConfig
from pipeline.phenomena.passages import CARRIER, HOST
from pipeline.phenomena.plan import Plan

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Passage:
    """One row of the table of passages."""

    order: int
    document: str
    source: str
    file: str
    offset: int
    first: int
    text: str
    cut: int
    gap: str
    sizes: tuple[int, ...]
    """Words of each sentence."""
    sentences: tuple[int, ...]
    core: tuple[int, ...]
    counts: Mapping[int, int]
    """Sentences that have each phenomenon, by its number."""
    replaced: tuple[str, ...]
    bytes: int

    @cached_property
    def words(self) -> int:
        """Of all its sentences."""
        return sum(self.sizes)


def read_passages(batch: pa.RecordBatch) -> tuple[list[Passage], list[Passage]]:
    """Carriers and hosts, each in the order of the table."""
    found: dict[str, list[Passage]] = {CARRIER: [], HOST: []}
    for row in batch.to_pylist():
        passage = Passage(
            **{name: row[name] for name in ("order", "document", "source", "file", "offset", "first", "text", "cut")},
            gap=row["gap"],
            sizes=tuple(row["words"]),
            sentences=tuple(row["sentences"]),
            core=tuple(row["core"]),
            counts=dict(zip(row["phenomena"], row["counts"], strict=True)),
            replaced=tuple(row["replaced"]),
            bytes=len(row["text"].encode("utf-8", "surrogatepass")),
        )
        found[row["role"]].append(passage)
    return found[CARRIER], found[HOST]


@dataclass
class Room:
    """What may still be added; every use of a passage goes through it."""

    wanted: Int64s
    """[p] sentences to be added; [p] each of the following."""
    allowed: Int64s
    """Sentences that may be added."""
    added: Int64s
    most_uses: int
    most_document_uses: int
    uses: Counter[int] = field(default_factory=Counter)
    """Of sentences, by hash."""
    document_uses: Counter[str] = field(default_factory=Counter)
    """Of natural documents, by id."""

    @staticmethod
    def of(plan: Plan, config: PhenomenaConfig) -> Room:
        """All that a plan leaves room for."""
        parts = [np.stack([some.natural, some.target, some.most], axis=1) for some in plan.wanted.values()]
        natural, target, most = np.concatenate([np.empty((0, 3), np.int64), *parts]).T
        return Room(
            target - natural, most - natural, np.zeros(len(natural), np.int64), config.uses, config.document_uses
        )

    def used_up(self, passage: Passage) -> bool:
        """Whether a sentence of it stands in as many documents as it may, or its document gave as often as it may."""
        if self.document_uses[passage.document] >= self.most_document_uses:
            return True
        return any(self.uses[sentence] >= self.most_uses for sentence in passage.sentences)

    def untouched(self, passage: Passage) -> bool:
        """Whether no sentence of it stands in any made document, and its document may still give some."""
        if self.document_uses[passage.document] >= self.most_document_uses:
            return False
        return not any(self.uses[sentence] for sentence in passage.sentences)

    def above(self, passage: Passage) -> bool:
        """Whether it would lift a phenomenon above what is allowed."""
        return any(self.added[number] + count > self.allowed[number] for number, count in passage.counts.items())

    def take(self, passage: Passage) -> None:
        """Use a passage once."""
        self.uses.update(set(passage.sentences))
        self.document_uses[passage.document] += 1
        for number, count in passage.counts.items():
            self.added[number] += count

    def give_back(self, passage: Passage) -> None:
        """Undo it."""
        self.uses.subtract(set(passage.sentences))
        self.document_uses[passage.document] -= 1
        for number, count in passage.counts.items():
            self.added[number] -= count


def weights(plan: Plan) -> npt.NDArray[np.float64]:
    """What it is worth to reach each phenomenon's target, [p]: all kinds count alike."""
    parts = [np.full(len(some.keys), 1 / len(some.keys)) for some in plan.wanted.values()]
    return np.concatenate([np.empty(0), *parts])


def choose(
    carriers: list[Passage], plan: Plan, room: Room, overhead: int = 0, beside: int = 0
) -> list[tuple[int, int]]:
    """The carriers to use.

    Args:
        carriers: to choose from.
        plan: budgets.
        room: what may be added; what is chosen is taken from it.
        overhead: bytes that come with each carrier.
        beside: sentences that come with it.

    Returns:
        (number of the carrier, which use of it, from 0), in the order in which they were chosen.
    """
    value = weights(plan) / np.maximum(room.wanted, 1)
    chosen: list[tuple[int, int]] = []
    times = [0] * len(carriers)
    by_document: Counter[str] = Counter()

    def score(number: int) -> float:
        passage = carriers[number]
        gain = 0.0
        for phenomenon, count in passage.counts.items():
            missing = int(room.wanted[phenomenon] - room.added[phenomenon])
            if missing > 0:
                gain += float(value[phenomenon]) * min(count, missing)
        return gain / ((passage.bytes + overhead) * (1 + times[number] + by_document[passage.document]))

    heap = [(-score(number), passage.order, number) for number, passage in enumerate(carriers)]
    heapq.heapify(heap)
    size, sentences = 0, 0
    while heap:
        _, order, number = heapq.heappop(heap)
        passage = carriers[number]
        now = score(number)
        fits = size + passage.bytes + overhead <= plan.byte_budget
        fits = fits and sentences + len(passage.sentences) + beside <= plan.sentence_budget
        if now <= 0 or not fits or room.used_up(passage) or room.above(passage):
            continue
        if heap and (-now, order, number) > heap[0]:
            heapq.heappush(heap, (-now, order, number))
            continue
        room.take(passage)
        chosen.append((number, times[number]))
        times[number] += 1
        by_document[passage.document] += 1
        size += passage.bytes + overhead
        sentences += len(passage.sentences) + beside
        heapq.heappush(heap, (-score(number), order, number))
    return chosen
