"""Documents next to a limit: the kept ones that nearly went, the rejected ones that nearly stayed."""

from __future__ import annotations

import difflib
import heapq
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.errors import CorpusError
from corpus.manifest import Snapshot
from corpus.storage import Storage
from evenglot.inspect.measures import measured_batches
from evenglot.inspect.reasons import decided
from evenglot.inspect.sample import batches
from evenglot.inspect.selection import Selection
from evenglot.inspect.thresholds import ALL_RULES
from pipeline.quality.rules import STOP_RULE, Rule
from pipeline.quality.thresholds import stop_words_of

Row = dict[str, Any]
_SHARES: Final = (0.001, 0.005, 0.01, 0.02, 0.05)
"""Of the kept documents: what a tighter limit would cost."""
_BACK: Final = (0.25, 0.5, 1.0)
"""Of the rejected documents: what a wider limit would bring back."""


@dataclass(frozen=True)
class Choice:
    """What another limit would do."""

    limit: float
    rejected: int
    """Documents that it would reject beyond those of today; below zero: that it would keep again."""
    share: float
    """Of the documents that reached the rule."""


@dataclass
class Borderline:
    """One limit and the documents next to it, nearest first."""

    rule: Rule
    kept: list[Row] = field(default_factory=list)
    rejected: list[Row] = field(default_factory=list)
    measured: int = 0
    """Kept documents that were measured."""
    choices: list[Choice] = field(default_factory=list)
    """For one language: other limits and what they would do, the widest first."""


def rules_of(asked: str, snapshot: Snapshot) -> list[Rule]:
    """The rules of a limit's name, of a reason or ``stage/reason``, or of a measure.

    Args:
        asked: by its own name a rule is found even where it has no limit; otherwise those that have one, if any has.
        snapshot: whose limits.

    Raises:
        CorpusError: there is no such rule; the message suggests the nearest.
    """
    named = [rule for rule in ALL_RULES if asked == rule.name]
    if named:
        return named
    found = [rule for rule in ALL_RULES if asked in (rule.reason, f"{rule.stage}/{rule.reason}", rule.feature)]
    limited = {name for limits in snapshot.thresholds.values() for name in limits}
    if not found:
        names = [rule.name for rule in ALL_RULES]
        near = difflib.get_close_matches(asked, names, n=2, cutoff=0.6)
        hint = f"Did you mean {' or '.join(repr(name) for name in near)}? " if near else ""
        raise CorpusError(f"'{asked}' is decided by no limit", f"{hint}Limits: {', '.join(names)}")
    return [rule for rule in found if rule.name in limited] or found


def borderline(
    storage: Storage, snapshot: Snapshot, rules: Sequence[Rule], selection: Selection, count: int
) -> list[Borderline]:
    """The documents next to each of some limits.

    Every language is compared with its own limit; of a rule without one the most extreme documents are shown.
    Cost: one pass over the rejected documents, and one over the measures of the kept ones, or where these were not
    kept the measures of up to ``MEASURED`` documents (some thousands a second).

    Args:
        storage: the corpus.
        snapshot: its state.
        rules: whose limits; see ``rules_of``.
        selection: which documents; with a language the result says what other limits would do.
        count: documents on each side, at most.
    """
    found = {rule.name: Borderline(rule) for rule in rules}
    kept: dict[str, list[tuple[float, int, Row]]] = defaultdict(list)
    values: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    order = 0
    lists = stop_words_of(snapshot.threshold_facts) if STOP_RULE in rules else {}
    for lang, chosen, measured in measured_batches(storage, snapshot, selection, lists):
        limits = snapshot.thresholds.get(lang, {})
        for rule in rules:
            bound = limits.get(rule.name)
            column = measured.column(rule.feature).to_numpy(zero_copy_only=False).astype(np.float64)
            judged = _judged(measured, rule)
            values[rule.name].append(column[judged])
            found[rule.name].measured += int(judged.sum())
            far = np.where(judged, distances(rule, column, bound), np.inf)
            for row in np.argsort(far, kind="stable")[:count].tolist():
                if math.isfinite(far[row]):
                    order -= 1
                    entry = (-float(far[row]), order, _row(chosen, row, rule, float(column[row]), bound))
                    _push(kept[rule.name], entry, count)
    turned_away = _rejected(storage, snapshot, rules, selection, count)
    for rule in rules:
        one = found[rule.name]
        one.kept = [row for *_, row in sorted(kept[rule.name], key=lambda entry: (-entry[0], -entry[1]))]
        one.rejected = turned_away[rule.name][0]
        limits = snapshot.thresholds.get(selection.lang or "", {})
        if selection.lang is not None and values[rule.name]:
            every = np.concatenate(values[rule.name])
            one.choices = choices(rule, every, np.asarray(turned_away[rule.name][1]), limits.get(rule.name))
    return [found[rule.name] for rule in rules]


def distances(rule: Rule, values: npt.NDArray[np.float64], bound: float | None) -> npt.NDArray[np.float64]:
    """How far values lie from a limit; counts by their ratio, shares by their difference.

    Without a limit the smallest values are the nearest where a rule asks for a least value, else the largest.
    """
    if bound is None:
        return values if rule.side == "min" else -values
    if rule.feature.startswith("n_") or rule.feature.endswith("length"):
        ratio: npt.NDArray[np.float64] = np.abs(np.log(np.maximum(values, 1e-9) / max(bound, 1e-9)))
        return ratio
    return np.abs(values - bound)


def choices(
    rule: Rule, kept: npt.NDArray[np.float64], rejected: npt.NDArray[np.float64], bound: float | None
) -> list[Choice]:
    """Limits that would cost or bring back round shares of the documents, the widest first, today's among them."""
    total = max(1, len(kept) + len(rejected))
    ordered = np.sort(kept) if rule.side == "min" else -np.sort(-kept)
    found = {} if bound is None else {bound: 0}
    for share in _SHARES:
        number = math.ceil(share * len(ordered))
        if 0 < number < len(ordered):
            limit = float(ordered[number])  # the first that stays
            lost = int((kept < limit).sum() if rule.side == "min" else (kept > limit).sum())
            if lost:
                found.setdefault(_round(limit), lost)
    nearest = -np.sort(-rejected) if rule.side == "min" else np.sort(rejected)
    for share in _BACK:
        number = math.ceil(share * len(nearest))
        if number:
            limit = float(nearest[number - 1])
            back = int((rejected >= limit).sum() if rule.side == "min" else (rejected <= limit).sum())
            found.setdefault(_round(limit), -back)
    widest_first = sorted(found, reverse=rule.side == "max")
    return [Choice(limit, found[limit], found[limit] / total) for limit in widest_first]


def _round(value: float) -> float:
    return float(f"{value:.4g}")


def _judged(batch: pa.RecordBatch, rule: Rule) -> npt.NDArray[np.bool_]:
    """Whether the rule looked at a row at all."""
    values = batch.column(rule.feature).to_numpy(zero_copy_only=False).astype(np.float64)
    judged: npt.NDArray[np.bool_] = ~np.isnan(values)
    if rule.guard is not None:
        feature, least = rule.guard
        judged &= batch.column(feature).to_numpy(zero_copy_only=False) >= least
    return judged


def _row(batch: pa.RecordBatch, row: int, rule: Rule, value: float, bound: float | None) -> Row:
    sign = ">=" if rule.side == "min" else "<="
    found: Row = batch.slice(row, 1).to_pylist()[0]
    found["measured"] = {"measure": rule.feature, "value": value, "sign": sign, "limit": rule.name, "bound": bound}
    return found


def _push(heap: list[tuple[float, int, Row]], entry: tuple[float, int, Row], count: int) -> None:
    if len(heap) < count:
        heapq.heappush(heap, entry)
    elif entry[:2] > heap[0][:2]:
        heapq.heapreplace(heap, entry)


def _rejected(
    storage: Storage, snapshot: Snapshot, rules: Sequence[Rule], selection: Selection, count: int
) -> dict[str, tuple[list[Row], list[float]]]:
    """Per rule the rejected documents nearest to the limit, and the values of all of them."""
    heaps: dict[str, list[tuple[float, int, Row]]] = {rule.name: [] for rule in rules}
    values: dict[str, list[float]] = {rule.name: [] for rule in rules}
    by_name = {rule.name: rule for rule in rules}
    wanted = selection.of_reasons(f"{rule.stage}/{rule.reason}" for rule in rules)
    order = 0
    for file in snapshot.select("rejected"):
        for batch in batches(storage, file):
            chosen = batch.filter(wanted.mask(batch))
            for row, detail in enumerate(chosen.column("detail").to_pylist()):
                numbers = decided(detail)
                if numbers is None or numbers["limit"] not in by_name:
                    continue
                rule = by_name[str(numbers["limit"])]
                value, bound = float(numbers["value"]), float(numbers["bound"])
                values[rule.name].append(value)
                far = float(distances(rule, np.array([value]), bound)[0])
                order -= 1
                entry = (-far, order, {**chosen.slice(row, 1).to_pylist()[0], "measured": numbers})
                _push(heaps[rule.name], entry, count)
    return {
        name: ([row for *_, row in sorted(heap, key=lambda entry: (-entry[0], -entry[1]))], values[name])
        for name, heap in heaps.items()
    }
