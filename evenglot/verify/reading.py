"""Ways to read the same rows: at once, resumed from a saved state, dealt to ranks and workers.

Each way is a generator of (global row, digest of everything in the row). What a state goes through between two
readers is what a checkpoint puts it through: it becomes JSON text and is parsed again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xxhash

if TYPE_CHECKING:
    from sampler import Batch, CurriculumStream

Open = Callable[[], "CurriculumStream"]
Digests = Iterator[tuple[int, str]]

CHUNK = 64
"""Rows that are read at a time where nothing else is asked for."""


@dataclass(frozen=True)
class Change:
    """A change of the mixture by hand."""

    block: int
    weights: Mapping[str, float]


@dataclass(frozen=True)
class Split:
    """How rows are dealt: rank r of R takes the r-th B rows of each step, worker w of W the steps w, w + W, …"""

    ranks: int
    workers: int
    rows: int

    def __str__(self) -> str:
        return f"{self.ranks} ranks with {self.workers} workers and {self.rows} rows each"

    @property
    def step(self) -> int:
        """Global rows of a step."""
        return self.ranks * self.rows


def digests(batch: Batch, first: int) -> Digests:
    """The digests of a batch of consecutive rows."""
    for place in range(len(batch)):
        row = batch.row(place)
        digest = xxhash.xxh3_128(row.tokens.tobytes())
        for part in (row.piece_lengths, row.piece_languages, row.piece_begins, row.piece_ends):
            digest.update(part.tobytes())
        digest.update(str(row.language).encode())
        yield first + place, digest.hexdigest()


def change_later(stream: CurriculumStream, changes: Sequence[Change], row: int) -> None:
    """Tell a stream of the changes that lie behind a row, before it reads anything."""
    for change in changes:
        if change.block * stream.config.block_rows > row:
            stream.set_mixture(change.weights, "verify", block=change.block)


def resumed(open_stream: Open, state: str, changes: Sequence[Change], stop: int) -> Digests:
    """The rows before ``stop``, read by a stream that goes on from a state."""
    stream = open_stream()
    stream.load_state(json.loads(state))
    change_later(stream, changes, stream.position)
    for start in range(stream.position, stop, CHUNK):
        yield from digests(stream.rows(range(start, min(start + CHUNK, stop))), start)


def dealt(open_stream: Open, state: str, changes: Sequence[Change], split: Split, steps: int) -> Digests:
    """Some steps of rows, read by one stream for each worker of each rank, all from one state."""
    for rank in range(split.ranks):
        for worker in range(split.workers):
            stream = open_stream()
            stream.load_state(json.loads(state))
            change_later(stream, changes, stream.position)
            begin = stream.position
            for step in range(worker, steps, split.workers):
                first = begin + step * split.step + rank * split.rows
                yield from digests(stream.rows(range(first, first + split.rows)), first)


def saved(open_stream: Open, state: str, changes: Sequence[Change], row: int) -> str:
    """The state at a later row, saved by a stream that read none of the rows in between."""
    stream = open_stream()
    stream.load_state(json.loads(state))
    change_later(stream, changes, stream.position)
    return dump(stream, row)


def dump(stream: CurriculumStream, row: int | None = None) -> str:
    """A stream's state as checkpoints hold it."""
    state: Any = stream.state(row)
    return json.dumps(state)
