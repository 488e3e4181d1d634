"""Proof that the training rows do not depend on when the run was stopped or how many processes read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xxhash

from corpus.errors import CorpusError
from corpus.manifest import read_snapshot
from sampler.config import SamplerConfig

if TYPE_CHECKING:
    from sampler import CurriculumStream, Row

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class OrderReport:
    """What was compared."""

    tokenizer: str
    rows: int
    """Rows read each time."""
    resumed: tuple[int, ...]
    """Rows before which reading was stopped and gone on from the saved state."""
    ranks: int
    """Processes among which the rows were dealt."""
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all ways of reading gave the same rows."""
        return not self.problems


def verify_order(
    corpus: str,
    config: SamplerConfig,
    seed: int,
    progress: Progress | None = None,
    *,
    tokenizer: str | None = None,
    snapshot: int | None = None,
    rows: int = 600,
    ranks: int = 3,
) -> OrderReport:
    """Read the first rows at once, resumed at several places, and dealt to several ranks, and compare them.

    Args:
        corpus: corpus root.
        config: how rows are sampled.
        seed: of the order.
        progress: told of the ways done.
        tokenizer: whose tokens; None takes the first of the snapshot by name.
        snapshot: number; None takes the current one.
        rows: how many rows to compare.
        ranks: how many readers share the rows the last time.

    Raises:
        CorpusError: the snapshot has no token shards, or none of that tokenizer.
    """
    state = read_snapshot(corpus, snapshot)
    if not state.tokenizers:
        raise CorpusError(
            f"snapshot {state.number} of {corpus} has no token shards",
            f"Run `evenglot tokenize --corpus {corpus}`" + ("" if snapshot is None else ", or leave out --snapshot"),
        )
    chosen = tokenizer or sorted(state.tokenizers)[0]
    from sampler import CurriculumStream

    def fresh() -> CurriculumStream:
        return CurriculumStream(corpus, tokenizer=chosen, config=config, seed=seed, snapshot=state.number)

    points = tuple(sorted({1, config.block_rows, rows // 3, rows // 2 + 1, rows - 1} & set(range(1, rows))))
    ways = len(points) + 2
    expected = list(_digests(fresh().iterate(0, rows)))
    problems = []
    for done, point in enumerate(points, start=1):
        if progress is not None:
            progress("order", done, ways)
        first = fresh()
        before = list(_digests(first.iterate(0, point)))
        second = fresh()
        second.load_state(first.state())
        after = list(_digests(second.iterate(None, rows)))
        problems += _differences(f"stopped before row {point} and resumed", expected, before + after)
    dealt: list[str] = [""] * rows
    for rank in range(ranks):
        for place, digest in enumerate(_digests(fresh().iterate(0, rows, rank=rank, world=ranks))):
            dealt[rank + place * ranks] = digest
    problems += _differences(f"dealt to {ranks} readers", expected, dealt)
    if progress is not None:
        progress("order", ways, ways)
    return OrderReport(chosen, rows, points, ranks, tuple(problems))


def _digests(rows: Iterator[Row]) -> Iterator[str]:
    for row in rows:
        digest = xxhash.xxh3_128(row.tokens.tobytes())
        for part in (row.segments, row.positions):
            digest.update(part.tobytes())
        digest.update(str(row.language).encode())
        yield digest.hexdigest()


def _differences(way: str, expected: list[str], found: list[str]) -> list[str]:
    wrong = [index for index, (a, b) in enumerate(zip(expected, found, strict=False)) if a != b]
    if len(found) != len(expected):
        return [f"{way}: {len(found)} rows instead of {len(expected)}"]
    return [f"{way}: {len(wrong)} of {len(expected)} rows differ, the first is row {wrong[0]}"] if wrong else []
