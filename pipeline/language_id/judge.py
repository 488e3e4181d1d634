"""Models on labelled rows: how right each is, and whether one is better than the other."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.ensemble import Member
from pipeline.language_id.evaluate import Scores, score
from pipeline.language_id.rows import Rows

_BATCH: Final = 500
"""Rows given to a model at once; both models of a comparison take turns."""
_EXACT: Final = 1000
"""Differing rows up to which McNemar's test is computed exactly."""


@dataclass(frozen=True)
class Verdicts:
    """What m models said of n rows."""

    gold: list[str]
    predicted: list[list[str]]
    """[m][n] tags."""
    sources: list[str | None]
    cpu_seconds: list[float]
    """[m] CPU time of each model alone."""


@dataclass(frozen=True)
class Duel:
    """Two models on the same rows."""

    rows: int
    languages: int
    first: Scores
    second: Scores
    agreement: float
    """Share of the rows on which both give the same label, right or wrong."""
    only_first_right: int
    only_second_right: int
    p_value: float
    """That a difference as large or larger comes from chance alone, by McNemar's test, two-sided."""
    test: str
    """``exact`` (binomial) or ``chi2`` (with continuity correction)."""


def judge(
    models: Sequence[Member],
    batches: Iterable[Rows],
    config: IdentifyConfig | None = None,
    progress: Callable[[int], None] | None = None,
) -> Verdicts:
    """Label all rows with all models, in one pass.

    Args:
        models: m models; they take turns on every batch, so that their times compare.
        batches: rows as they are read.
        config: windows and thresholds, the same for all models.
        progress: is told how many rows are done.
    """
    found = Verdicts([], [[] for _ in models], [], [0.0] * len(models))
    for model in models:
        model.predict(["tables are built when they are first used, which is not to be timed"], config)
    for rows in batches:
        for start in range(0, len(rows), _BATCH):
            texts = rows.texts[start : start + _BATCH]
            for number, model in enumerate(models):
                began = time.process_time()
                found.predicted[number] += model.predict(texts, config).tags
                found.cpu_seconds[number] += time.process_time() - began
            found.gold.extend(rows.tags[start : start + _BATCH])
            found.sources.extend(rows.sources[start : start + _BATCH])
            if progress is not None:
                progress(len(found.gold))
    return found


def by_source(verdicts: Verdicts) -> dict[str, Scores]:
    """Scores of the first model for each source; rows without one are ``""``."""
    pairs: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for source, gold, tag in zip(verdicts.sources, verdicts.gold, verdicts.predicted[0], strict=True):
        pairs[source or ""].append((gold, tag))
    return {source: score(*map(list, zip(*pairs[source], strict=True))) for source in sorted(pairs)}


def duel(
    gold: Sequence[str], first: Sequence[str], second: Sequence[str], languages: AbstractSet[str] | None = None
) -> Duel:
    """Compare two models' labels of the same n rows.

    Args:
        gold: n true tags.
        first: n tags.
        second: n tags.
        languages: only rows in these count; None counts all.
    """
    rows = [row for row in zip(gold, first, second, strict=True) if languages is None or row[0] in languages]
    true, one, two = [[row[column] for row in rows] for column in range(3)]
    only_first = sum(tag == a != b for tag, a, b in rows)
    only_second = sum(tag == b != a for tag, a, b in rows)
    p_value, test = mcnemar(only_first, only_second)
    return Duel(
        rows=len(rows),
        languages=len(set(true)),
        first=score(true, one),
        second=score(true, two),
        agreement=sum(a == b for a, b in zip(one, two, strict=True)) / max(1, len(rows)),
        only_first_right=only_first,
        only_second_right=only_second,
        p_value=p_value,
        test=test,
    )


def mcnemar(only_first: int, only_second: int) -> tuple[float, str]:
    """McNemar's test (1947) that two classifiers err equally often.

    Args:
        only_first: rows that the first alone gets right.
        only_second: rows that the second alone gets right.

    Returns:
        the two-sided p-value, and ``exact`` (binomial) or ``chi2`` (one degree of freedom, Edwards' continuity
        correction) where the rows are many.
    """
    total = only_first + only_second
    if total <= _EXACT:
        tail = sum(math.comb(total, count) for count in range(min(only_first, only_second) + 1))
        return min(1.0, 2 * tail / 2**total), "exact"
    statistic = max(0, abs(only_first - only_second) - 1) ** 2 / total
    return math.erfc(math.sqrt(statistic / 2)), "chi2"
