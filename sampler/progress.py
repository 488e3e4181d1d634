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
    """Passes over its training tokens: those of the documents that each stage's view keeps of its snapshot, each
    counted once, so that where a view shows documents several times its pass is more than one."""


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
    left_out: dict[str, int]
    """Tokens of each language that the cap on synthetic text leaves out of a pass, where there are any."""


Within = Callable[[int, int], Counts]
"""Tokens of each language among the first rows of a block, int64 [K]."""


def whole(run: Run, row: int, within: Within) -> dict[str, Realised]:
    """What each language got in the rows before a row."""
    course, length = run.course, run.config.row_tokens
    tokens = _tokens(run, row, within)
    asked = course.asked(row) / row if row else course.weights(0) / float(1 << 32)
    passes = np.zeros(len(tokens))
    for number, part in enumerate(course.schedule.parts):
        if part.first * run.config.block_rows < row or number == 0:
            passes += _passes(run, number, _between(run, number, row, tokens))
    return _realised(run, tokens, asked, passes, row, length)


def stages(run: Run, row: int, within: Within) -> list[StageProgress]:
    """The stages of a run and what each got in the rows before a row."""
    course, rows, length = run.course, run.config.block_rows, run.config.row_tokens
    tokens, asked = _tokens(run, row, within), course.asked(row)
    found = []
    for number, part in enumerate(course.schedule.parts):
        first, end = part.first * rows, None if part.end is None else part.end * rows
        read = max(0, (row if end is None else min(row, end)) - first)
        got = _between(run, number, row, tokens) if read else np.zeros_like(tokens)
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
                left_out=dict(run.sources.stages[number].left_out),
            )
        )
    return found


def _tokens(run: Run, row: int, within: Within) -> Counts:
    """Tokens of each language before a row, int64 [K]."""
    block, inside = divmod(row, run.config.block_rows)
    tokens = run.course.served(block) * run.config.row_tokens
    return tokens + within(block, inside) if inside else tokens


def _between(run: Run, number: int, row: int, tokens: Counts) -> Counts:
    """Tokens of each language in a stage before a row, of the tokens before it."""
    course, part = run.course, run.course.schedule.parts[number]
    ended = part.end is not None and part.end * run.config.block_rows <= row
    length = run.config.row_tokens
    return (course.mark(number + 1) * length if ended else tokens) - (course.mark(number) * length if number else 0)


def _passes(run: Run, number: int, tokens: Counts) -> NDArray[np.float64]:
    """Passes over each language's tokens that so many tokens of a stage are."""
    corpus = run.sources.stages[number].text
    sizes = np.array([corpus.get(lang, 0) for lang in run.sources.languages], dtype=np.float64)
    return np.where(sizes > 0, tokens / np.maximum(sizes, 1.0), 0.0)


def _realised(
    run: Run, tokens: Counts, asked: NDArray[np.float64], passes: NDArray[np.float64], rows: int, length: int
) -> dict[str, Realised]:
    total = rows * length
    return {
        lang: Realised(int(count), float(share), int(count) / total if total else 0.0, float(times))
        for lang, count, share, times in zip(run.sources.languages, tokens, asked, passes, strict=True)
    }
