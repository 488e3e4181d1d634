"""What of each language's candidates stays: how like natural text they are, and how much of them the budget allows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corpus.augmentation import Naturalness
from corpus.hashing import fingerprint
from corpus.manifest import Snapshot
from corpus.schema import TRAIN
from pipeline.augment.cut import cut
from pipeline.augment.join import Refusal, Survivors
from pipeline.augment.likeness import CompareTask, compare_language, measured_methods
from pipeline.naturalness.config import NaturalnessConfig
from pipeline.naturalness.shrink import best_first
from pipeline.parents.budget import Budget
from pipeline.prepare.context import Context
from pipeline.prepare.read import Reading

OVER_BUDGET: Final = "over_budget"
UNNATURAL: Final = "naturalness"
"""Reason of a candidate that the budget would have allowed before it shrank."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """What was found of one language."""

    said: Naturalness
    values: Floats
    """How natural each of its candidates looks, 0 to 1; NaN where that is not known."""


@dataclass(frozen=True)
class Compared:
    """What was decided after all documents were compared with each other."""

    refused: Mapping[int, Refusal]
    """By number among the survivors."""
    naturalness: Mapping[str, Naturalness] = field(default_factory=dict)
    """By language."""


def rows_by_language(found: Survivors, refused: Mapping[int, Refusal]) -> dict[str, Ints]:
    """The survivors of each language that are not refused."""
    free = np.ones(len(found.id), dtype=bool)
    free[list(refused)] = False
    return {lang: np.flatnonzero(free & (found.lang == lang)) for lang in sorted(set(found.lang[free].tolist()))}


def compare_with_natural(
    context: Context,
    natural: Snapshot,
    reading: Reading,
    found: Survivors,
    rows: Mapping[str, Ints],
    pairs: Mapping[str, Sequence[str]],
    config: NaturalnessConfig,
) -> dict[str, Likeness]:
    """Measure every language's candidates against its natural text, one task for each.

    Args:
        context: of the run.
        natural: snapshot.
        reading: the staged pieces.
        found: all survivors.
        rows: those of each language.
        pairs: files of natural documents translated there and back, by language.
        config: of the comparison.
    """
    if not config.enabled:
        return {}
    from pipeline.graphs.deal import for_each

    tasks = []
    for lang, some in rows.items():
        pieces = []
        for piece in np.unique(found.piece[some]).tolist():
            mine = found.row[some[found.piece[some] == piece]]
            pieces.append((reading.pieces[piece].name, tuple(mine.tolist())))
        shards = tuple(file.path for file in natural.natural_text(lang=lang, split=TRAIN))
        said: list[Any] = [
            lang,
            shards,
            pieces,
            list(pairs.get(lang, ())),
            config.model_dump(mode="json"),
            context.seed,
        ]
        tasks.append(
            CompareTask(
                lang, context.output, context.work_url, shards, tuple(pieces), tuple(pairs.get(lang, ())), config,
                context.seed, f"naturalness/{fingerprint(said)}.json",
            )
        )  # fmt: skip
    waiting = [task for task in tasks if not context.work.exists(task.name)]

    def done() -> tuple[int, int]:
        return sum(context.work.exists(task.name) for task in tasks), len(tasks)

    if waiting:
        with context.jobs.step("compare with natural text (languages)", done):
            context.jobs.run(for_each("languages", waiting, "compare", compare_language))
    likeness = {}
    for task in tasks:
        told = json.loads(context.work.read_bytes(task.name))
        values = np.array([np.nan if value is None else value for value in told["naturalness"]], np.float64)
        one = Naturalness(measures=told["measures"], share=told["share"], why=told["why"])
        likeness[task.lang] = Likeness(one, values)
    return likeness


def apply_budgets(
    found: Survivors,
    refused: Mapping[int, Refusal],
    rows: Mapping[str, Ints],
    budgets: Mapping[str, Budget],
    likeness: Mapping[str, Likeness],
) -> Compared:
    """Cut every language to its budget, or to what is left of it.

    Args:
        found: candidates that passed all stages and comparisons.
        refused: those of them that do not stay anyhow.
        rows: the others, by language.
        budgets: by language.
        likeness: by language; one that is missing keeps its budget.
    """
    out: dict[int, Refusal] = dict(refused)
    said: dict[str, Naturalness] = {}
    for lang, some in rows.items():
        parts = budgets[lang].methods if lang in budgets else {}
        known = likeness.get(lang)
        if known is None:
            out |= cut_language(found, some, np.full(len(some), np.nan), parts)
            continue
        measured = measured_methods(found.origin[some].tolist())
        shares = {method: known.said.share if method in measured else 1.0 for method in parts}
        out |= cut_language(found, some, known.values, parts, shares, known.said.why)
        total, left = sum(parts.values()), sum(parts[method] * share for method, share in shares.items())
        # Of the whole budget: parts that did not shrink count in full.
        said[lang] = known.said.model_copy(update={"share": round(left / total, 6)}) if total else known.said
    return Compared(out, said)


def cut_language(
    found: Survivors,
    rows: Ints,
    values: Floats,
    parts: Mapping[str, int],
    shares: Mapping[str, float] | None = None,
    why: str = "",
) -> dict[int, Refusal]:
    """Refuse what the budget of one language does not allow: the least natural and worst translated go first.

    What a method does not fill goes to the others, but nothing passes between methods that shrank and others.

    Args:
        found: all survivors.
        rows: those of the language.
        values: how natural each of them looks; NaN counts as one half.
        parts: bytes by method.
        shares: what stays of the parts, 0 to 1; all of those that are missing.
        why: they shrank.
    """
    scores, origins, sizes = found.score[rows].astype(np.float64), found.origin[rows], found.bytes[rows]
    order = best_first(values, scores, found.id[rows])
    kept = dict.fromkeys(parts, 1.0) | dict(shares or {})
    left = {method: int(size * kept[method]) for method, size in parts.items()}
    less = {method for method in parts if kept[method] < 1}
    mine = np.isin(origins[order], sorted(less))
    taken = cut(origins, sizes, order[mine], {method: left[method] for method in less})
    taken |= cut(origins, sizes, order[~mine], {method: left[method] for method in parts if method not in less})
    before = cut(origins, sizes, order, parts) if less else taken
    refused = {}
    for place in np.flatnonzero(~taken).tolist():
        row = int(rows[place])
        numbers = f"{sizes[place]:,} bytes, score {scores[place]:.4g}"
        if not np.isnan(values[place]):
            numbers += f", naturalness {values[place]:.4g}"
        reason = UNNATURAL if before[place] else OVER_BUDGET
        because = f" of {sum(parts.values()):,}: {why}" if why else ""
        refused[row] = Refusal(reason, f"{numbers}; budget {sum(left.values()):,} bytes{because}; others were better")
    return refused
