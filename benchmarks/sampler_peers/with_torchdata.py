"""torchdata's nodes: one node of ours for each language, its weighted sampler over them, its batcher and loader.

torchdata reads no corpus of its own: the node walks through its language in a new order every pass and keeps its
state. Documents come whole; there are no rows. With workers, its ParallelMapper reads the documents in processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torchdata.nodes import BaseNode, Batcher, MultiNodeWeightedSampler, ParallelMapper, StopCriteria
from torchdata.nodes import Loader as Nodes

from benchmarks.sampler_peers.corpora import Flat, Source, tag
from benchmarks.sampler_peers.loader import BATCH, SEED, Loader

DISTRIBUTION = "torchdata"
ARMS = {"documents": "whole documents; no rows, no boundaries to keep"}


class Documents(BaseNode[Any]):
    """One language without end: documents in a new order every pass, or their places when workers read them."""

    def __init__(self, source: Source, place: bool) -> None:
        super().__init__()
        self.source, self.place = source, place

    def reset(self, initial_state: dict[str, Any] | None = None) -> None:
        """Begin, or go on from a state."""
        super().reset(initial_state)
        known = initial_state or {"pass": 0, "next": 0}
        self._begin(known["pass"])
        self._next = known["next"]

    def _begin(self, number: int) -> None:
        self._pass, self._next = number, 0
        order = np.random.default_rng((SEED, self.source.number, number)).permutation(len(self.source))
        self._order: list[int] = order.tolist()

    def next(self) -> Any:
        """The next document."""
        if self._next == len(self._order):
            self._begin(self._pass + 1)
        index = self._order[self._next]
        self._next += 1
        return (self.source.number, index) if self.place else self.source[index]

    def get_state(self) -> dict[str, Any]:
        """Pass and place in it."""
        return {"pass": self._pass, "next": self._next}


def read(sources: list[Source], places: list[tuple[int, int]]) -> list[Any]:
    """A batch of documents by language and number."""
    return [sources[language][index] for language, index in places]


def prepare(flat: Flat, folder: Path, arm: str) -> None:
    """The flat files are read as they are."""


def load(flat: Flat, folder: Path, arm: str, workers: int, state: Any = None) -> Loader:
    """Open the loader."""
    sources = [Source(flat.folder, number, size) for number, size in enumerate(flat.sizes.tolist())]
    nodes = {tag(source.number): Documents(source, place=workers > 0) for source in sources}
    weights = {tag(number): float(share) for number, share in enumerate(flat.shares)}
    node: Any = MultiNodeWeightedSampler(
        nodes, weights, stop_criteria=StopCriteria.CYCLE_FOREVER, rank=0, world_size=1, seed=SEED
    )
    node = Batcher(node, BATCH)
    if workers:
        node = ParallelMapper(node, partial(read, sources), num_workers=workers, in_order=True, method="process")
    loader: Any = Nodes(node)
    if state is not None:
        loader.load_state_dict(state)
    batches: Iterator[Any] = iter(loader)
    return Loader(batches, loader.state_dict)
