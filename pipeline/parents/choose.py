"""Parents for one language: topics it lacks first, diverse documents of each, none used too often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.parents.config import ParentsConfig
from pipeline.parents.topics import Topics

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_MISSES: Final = 4
"""Documents in a row that are too large for what is left of a topic's bytes, after which it is left."""


@dataclass(eq=False)
class Pool:
    """The documents of one language that may be parents, and how often each has been one."""

    topics: Topics
    used: Int64s
    """[n]"""

    @classmethod
    def of(cls, topics: Topics) -> Pool:
        """A pool of which nothing was used."""
        return cls(topics, np.zeros(topics.sketches.num_rows, np.int64))

    def use(self, ids: Sequence[str], times: int = 1) -> None:
        """Count documents that somebody else made parents; those that are not in the pool are passed over."""
        rows = pc.index_in(pa.array(ids, pa.string()), value_set=self.topics.sketches.column("id")).drop_null()
        np.add.at(self.used, rows.to_numpy(), times)


@dataclass(frozen=True, eq=False)
class Choice:
    """Parents of one language's synthetic text."""

    parents: pa.Table
    """``id``, ``path``, ``row``, ``bytes``, ``quality`` and ``topic`` of each, in the order of the choice: whoever
    stops early has the topics in nearly the same proportions."""
    bytes: int
    """Of the parents' text."""
    wanted: Floats
    """Bytes that were wanted of each topic, [k]."""
    present: Floats
    """Bytes of each topic that the language has, as far as its text was seen in translation, [k]."""
    note: str
    """What the choice rests on, in one line."""


def choose(
    pool: Pool,
    size: int,
    config: ParentsConfig,
    *,
    times: int = 1,
    translated: pa.Table | None = None,
    natural: int = 0,
) -> Choice:
    """Choose parents, and count their use in the pool.

    With p(c) the share of topic c in the pool, the goal is g(c) ~ p(c)^(1 - evenness). Of topic c the choice wants
    x(c) = max(0, λ · g(c) - h(c)) bytes, where h(c) are those that the language has, and λ is such that they add up
    to ``size``: topics are filled to a common level of the density ratio h / g, from the emptiest on. Without
    translations h = 0, and the choice is by diversity alone.

    Args:
        pool: of the parents' language.
        size: bytes of text in the parents' language, of all parents together; never exceeded.
        config: goal and uses.
        times: how often each parent chosen here will be used.
        translated: sketches (``term_sketches``) of a sample of the language's natural documents, translated into the
            parents' language; None where nothing translates them.
        natural: bytes that all its natural documents would have in the parents' language.
    """
    topics = pool.topics
    able = pool.used + times <= config.uses
    sizes = topics.sketches.column("bytes").to_numpy().astype(np.int64)
    supply = np.bincount(topics.topic, np.where(able, sizes, 0), topics.count).astype(np.float64)
    share = topics.bytes_by_topic() / max(sizes.sum(), 1)
    goal = np.where(share > 0, np.maximum(share, 1e-12) ** (1 - config.evenness), 0)
    goal /= max(goal.sum(), 1e-12)
    seen = translated is not None and translated.num_rows > 0
    present = topics.bytes_of(translated) if seen else np.zeros(topics.count)
    if seen:
        present *= natural / max(present.sum(), 1)
    wanted = fill(goal, present, supply, size)
    rows = _take(pool, wanted, sizes, able, size)
    pool.used[rows] += times
    columns = topics.sketches.select(["id", "path", "row", "bytes", "quality"]).take(pa.array(rows))
    parents = columns.append_column("topic", pa.array(topics.topic[rows]))
    return Choice(parents, int(sizes[rows].sum()), wanted, present, _note(topics, translated if seen else None, config))


def fill(goal: Floats, present: Floats, supply: Floats, size: float) -> Floats:
    """Amounts x(c) = min(max(0, λ · goal(c) - present(c)), supply(c)) that add up to ``size``, or all there is; [k]."""
    if supply.sum() <= size:
        return np.where(goal > 0, supply, 0.0)
    low, high = 0.0, 1.0
    while _at(high, goal, present, supply).sum() < size:
        high *= 2
    for _ in range(64):
        level = (low + high) / 2
        if _at(level, goal, present, supply).sum() <= size:
            low = level
        else:
            high = level
    return _at(low, goal, present, supply)


def _at(level: float, goal: Floats, present: Floats, supply: Floats) -> Floats:
    amounts: Floats = np.clip(level * goal - present, 0, supply)
    return amounts


def _take(pool: Pool, wanted: Floats, sizes: Int64s, able: npt.NDArray[np.bool_], size: int) -> Int64s:
    """Documents of each topic up to the bytes wanted, the least used first, then by rank.

    The last one of a topic is taken if more than half of it is wanted, and the next topic gets so much less or more:
    were only those taken that fit, small wishes would get short documents alone.
    """
    topics = pool.topics
    chosen: list[tuple[float, int, int]] = []
    carry, left = 0.0, size
    for topic in np.argsort(-wanted, kind="stable").tolist():
        limit = wanted[topic] + carry
        members = np.flatnonzero(able & (topics.topic == topic)) if wanted[topic] > 0 else np.empty(0, np.int64)
        order = members[np.lexsort((topics.rank[members], pool.used[members]))]
        taken, misses = 0, 0
        for row in order.tolist():
            if taken + sizes[row] / 2 > limit or sizes[row] > left:
                misses += 1
                if misses > _MISSES:
                    break
                continue
            misses = 0
            chosen.append((taken / limit, topic, row))
            taken += int(sizes[row])
            left -= int(sizes[row])
        carry = limit - taken
    rows = [row for _, _, row in sorted(chosen)]
    assert sizes[rows].sum() <= size
    return np.array(rows, np.int64)


def _note(topics: Topics, translated: pa.Table | None, config: ParentsConfig) -> str:
    pool = f"{topics.sketches.num_rows:,} documents in {topics.count} topics"
    if translated is None:
        return f"diversity alone, from {pool}: nothing translates the language's own documents"
    return f"topics it lacks, by {translated.num_rows:,} of its documents in translation, from {pool}"
