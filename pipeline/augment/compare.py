"""What of a language's candidates stays: how much of it the budget allows, the best first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from corpus.augmentation import Naturalness
from pipeline.augment.cut import OVER_BUDGET, cut
from pipeline.augment.join import Refusal, Survivors
from pipeline.parents.budget import Budget

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Compared:
    """What was decided after all documents were compared with each other."""

    refused: Mapping[int, Refusal]
    """By number among the survivors."""
    naturalness: Mapping[str, Naturalness] = field(default_factory=dict)
    """By language."""


def apply_budgets(found: Survivors, refused: Mapping[int, Refusal], budgets: Mapping[str, Budget]) -> Compared:
    """Cut every language to its budget.

    Args:
        found: candidates that passed all stages and comparisons.
        refused: those of them that do not stay anyhow.
        budgets: by language.
    """
    out: dict[int, Refusal] = dict(refused)
    free = np.ones(len(found.id), dtype=bool)
    free[list(refused)] = False
    for lang in sorted(set(found.lang[free].tolist())):
        rows = np.flatnonzero(free & (found.lang == lang))
        parts = budgets[lang].methods if lang in budgets else {}
        out |= over_budget(found, rows, by_score(found, rows), parts)
    return Compared(out)


def by_score(found: Survivors, rows: Ints) -> Ints:
    """Positions in ``rows``, those of the better gate score first; of equal ones the smaller id."""
    return np.lexsort((found.id[rows], -found.score[rows]))


def over_budget(
    found: Survivors, rows: Ints, order: Ints, parts: Mapping[str, int], why: str = ""
) -> dict[int, Refusal]:
    """Refuse what the budget of one language does not allow.

    Args:
        found: all survivors.
        rows: those of the language.
        order: positions in ``rows`` in the order in which they are taken.
        parts: bytes by method.
        why: said of the budget where it is not the one that was planned.
    """
    taken = cut(found.origin[rows], found.bytes[rows], order, parts)
    detail = f"budget {sum(parts.values()):,} bytes{why}; others were better"
    return {
        int(row): Refusal(OVER_BUDGET, f"{found.bytes[row]:,} bytes, score {found.score[row]:.4g}; {detail}")
        for row in rows[~taken]
    }
