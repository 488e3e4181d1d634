"""What each language was asked for and got so far: shares, tokens, passes, repeats, in all and by stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sampler.quota import Counts
from sampler.resume import Run


class Realised(NamedTuple):
    """What one language got so far."""

    tokens: int
    """Tokens in its rows."""
    asked: float
    """Share that the mixtures asked for, averaged over the rows so far."""
    share: float
    """Share of the rows so far; 0 before the first."""
    passes: float
    """Passes over its training tokens, those of the stage's snapshot and before its filters."""


class StageProgress(NamedTuple):
    """What one stage has got so far."""

    name: str
    first_row: int
    """Its first row; stages begin at blocks."""
    rows: int | None
    """Its length, the tokens of the recipe rounded up to whole blocks; None for the last stage."""
    read: int
    """Rows of it so far."""
    snapshot: int
    """Snapshot of the corpus that it reads."""
    languages: dict[str, Realised]
    """What each language got in it. The share asked for in stages before the current one is told within a row."""


Within = Callable[[int, int], Counts]
"""Rows of each language among the first ones of a block, int64 [K]."""


def whole(run: Run, row: int, within: Within) -> dict[str, Realised]:
    """What each language got in the rows before a row."""
    course, length = run.course, run.config.row_tokens
    served = _served(run, row, within)
    asked = course.asked(row) / row if row else course.weights(0) / float(1 << 32)
    passes = np.zeros(len(served))
    for number, part in enumerate(course.schedule.parts):
        if part.first * run.config.block_rows < row or number == 0:
            passes += _passes(run, number, _between(run, number, row, served))
    return _realised(run, served, asked, passes, row, length)


def stages(run: Run, row: int, within: Within) -> list[StageProgress]:
    """The stages of a run and what each got in the rows before a row."""
    course, rows, length = run.course, run.config.block_rows, run.config.row_tokens
    served, asked = _served(run, row, within), course.asked(row)
    found = []
    for number, part in enumerate(course.schedule.parts):
        first, end = part.first * rows, None if part.end is None else part.end * rows
        read = max(0, (row if end is None else min(row, end)) - first)
        got = _between(run, number, row, served) if read else np.zeros_like(served)
        if not read:
            wanted = course.recipe_weights(part.first) / float(1 << 32)
        else:
            until = asked if end is None or row < end else course.asked_before_stage(number + 1)
            wanted = (until - (course.asked_before_stage(number) if number else 0.0)) / read
        found.append(
            StageProgress(
                name=part.name,
                first_row=first,
                rows=None if end is None else end - first,
                read=read,
                snapshot=run.sources.stages[number].corpus.snapshot.number,
                languages=_realised(run, got, wanted, _passes(run, number, got), read, length),
            )
        )
    return found


def _served(run: Run, row: int, within: Within) -> Counts:
    block, inside = divmod(row, run.config.block_rows)
    served = run.course.served(block)
    return served + within(block, inside) if inside else served


def _between(run: Run, number: int, row: int, served: Counts) -> Counts:
    """Rows of each language in a stage before a row, of the rows served before it."""
    course, part = run.course, run.course.schedule.parts[number]
    ended = part.end is not None and part.end * run.config.block_rows <= row
    return (course.mark(number + 1) if ended else served) - (course.mark(number) if number else 0)


def _passes(run: Run, number: int, rows: Counts) -> NDArray[np.float64]:
    """Passes over each language's tokens that so many rows of a stage are."""
    corpus = run.sources.stages[number].available
    sizes = np.array([corpus.get(lang, 0) for lang in run.sources.languages], dtype=np.float64)
    return np.where(sizes > 0, rows * float(run.config.row_tokens) / np.maximum(sizes, 1.0), 0.0)


def _realised(
    run: Run, served: Counts, asked: NDArray[np.float64], passes: NDArray[np.float64], rows: int, length: int
) -> dict[str, Realised]:
    return {
        lang: Realised(int(count) * length, float(share), int(count) / rows if rows else 0.0, float(times))
        for lang, count, share, times in zip(run.sources.languages, served, asked, passes, strict=True)
    }
