"""Why documents were rejected: the reasons there are, what a name means, and the numbers behind a decision."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import CorpusError
from corpus.manifest import ShardFile, Snapshot
from corpus.storage import Storage
from evenglot.inspect.sample import batches
from evenglot.inspect.selection import Selection
from evenglot.inspect.thresholds import ALL_RULES

_NUMBER: Final = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
_DECIDED: Final = rf"^(?P<measure>\w+) (?P<value>{_NUMBER}) (?P<sign>[<>]) (?P<limit>\w+) (?P<bound>{_NUMBER})$"


@dataclass(frozen=True)
class Reason:
    """One reason and the documents it was given for."""

    name: str
    """``stage/reason``."""
    documents: int
    share: float
    """Of all records read, or of the language's."""
    languages: dict[str, int]
    """Documents by language, the most first."""


@dataclass(frozen=True)
class Numbers:
    """What decided, over all documents that one limit rejected."""

    measure: str
    limit: str
    sign: str
    """``<``: the measure lay below the limit; ``>``: above it."""
    documents: int
    lowest: float
    median: float
    highest: float
    bounds: tuple[float, float]
    """The smallest and the largest limit that applied: languages have their own."""


def reasons(snapshot: Snapshot, lang: str | None = None) -> list[Reason]:
    """All reasons of a snapshot, the most frequent first; for one language its own counts and shares."""
    ledger = snapshot.ledger
    whole = ledger.read + ledger.made if lang is None else sum(ledger.language_totals().get(lang, (0, 0)))
    found = []
    for name, by_language in ledger.rejected.items():
        chosen = {tag: number for tag, number in by_language.items() if lang in (None, tag) and number}
        if chosen:
            total = sum(chosen.values())
            ordered = dict(sorted(chosen.items(), key=lambda item: (-item[1], item[0])))
            found.append(Reason(name, total, total / max(1, whole), ordered))
    return sorted(found, key=lambda reason: (-reason.documents, reason.name))


def resolve(snapshot: Snapshot, asked: str) -> list[str]:
    """The reasons that a name stands for.

    Args:
        snapshot: of the corpus.
        asked: ``stage/reason``, a stage, a reason, or the name of a limit such as ``min_words``.

    Returns:
        every ``stage/reason`` that it means.

    Raises:
        CorpusError: nothing was rejected for it; the message tells a rule that removed nothing from a name that is
            none, and suggests the nearest.
    """
    there = sorted(snapshot.ledger.rejected)
    by_limit = {rule.name: f"{rule.stage}/{rule.reason}" for rule in ALL_RULES}
    wanted = by_limit.get(asked, asked)
    found = [name for name in there if wanted in (name, *name.split("/", 1))]
    if found:
        return found
    if any(wanted in (f"{rule.stage}/{rule.reason}", rule.reason, rule.stage) for rule in ALL_RULES):
        raise CorpusError(
            f"nothing was rejected for '{asked}'", f"Reasons in this corpus: {', '.join(there) or 'none'}"
        )
    parts = sorted({part for name in there for part in (name, *name.split("/", 1))} | set(by_limit))
    near = difflib.get_close_matches(asked, parts, n=2, cutoff=0.6)
    hint = f"Did you mean {' or '.join(repr(name) for name in near)}? " if near else ""
    raise CorpusError(
        f"no record was rejected for '{asked}'", f"{hint}Reasons in this corpus: {', '.join(there) or 'none'}"
    )


def limit_of(asked: str) -> str | None:
    """The limit of this name, where it is the name of one: a reason may have several."""
    return asked if any(rule.name == asked for rule in ALL_RULES) else None


def decided(detail: str | None) -> dict[str, float | str] | None:
    """The numbers in a rejected document's ``detail``, or None where it holds none of that form.

    ``n_words 5 < min_words 8`` gives measure, value, sign, limit and bound.
    """
    match = re.match(_DECIDED, detail or "")
    if match is None:
        return None
    parts: Mapping[str, str] = match.groupdict()
    return {name: float(part) if name in ("value", "bound") else part for name, part in parts.items()}


def numbers(storage: Storage, files: Sequence[ShardFile], selection: Selection) -> list[Numbers]:
    """What decided on the selected documents, one entry for every limit, the most frequent first."""
    tables = []
    for file in files:
        for batch in batches(storage, file):
            details = batch.column("detail").filter(selection.mask(batch)).drop_null()
            matched = pc.extract_regex(details, _DECIDED).drop_null()
            if len(matched):
                tables.append(pa.Table.from_batches([pa.RecordBatch.from_struct_array(matched)]))
    if not tables:
        return []
    table = pa.concat_tables(tables)
    for name in ("value", "bound"):
        index = table.schema.get_field_index(name)
        table = table.set_column(index, name, pc.cast(table.column(name), pa.float64()))
    found = []
    for group in (
        table.group_by(["measure", "sign", "limit"]).aggregate([("value", "list"), ("bound", "min_max")]).to_pylist()
    ):
        values = np.asarray(group["value_list"])
        found.append(
            Numbers(
                measure=group["measure"],
                limit=group["limit"],
                sign=group["sign"],
                documents=len(values),
                lowest=float(values.min()),
                median=float(np.median(values)),
                highest=float(values.max()),
                bounds=(group["bound_min_max"]["min"], group["bound_min_max"]["max"]),
            )
        )
    return sorted(found, key=lambda entry: (-entry.documents, entry.limit))
