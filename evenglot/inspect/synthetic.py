"""Synthetic documents beside the natural ones they were made from, and the candidates that did not stay."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import CorpusError
from corpus.manifest import Snapshot
from corpus.schema import NATURAL, ORIGINS
from corpus.storage import Storage
from evenglot.inspect.reasons import resolve
from evenglot.inspect.sample import Row, batches, sample
from evenglot.inspect.selection import Selection

KEPT: Final = "kept"
REJECTED: Final = "rejected"
SYNTHETIC: Final = ORIGINS[1:]


@dataclass(frozen=True)
class Made:
    """Synthetic documents, or candidates for them, with the natural documents they come from."""

    kept: list[Row]
    """Columns of a record; ``made`` holds the parsed provenance, ``parent_document`` the natural document or None."""
    kept_total: int
    rejected: list[Row]
    """The same of rejected candidates, with stage, reason and detail."""
    rejected_total: int


def synthetic(
    storage: Storage, snapshot: Snapshot, selection: Selection, asked: str, count: int, seed: int = 0
) -> Made:
    """Synthetic documents and rejected candidates, chosen by hash.

    Args:
        storage: the corpus.
        snapshot: its state.
        selection: which of them; one without an origin takes all that are not natural.
        asked: ``all``, ``kept``, ``rejected``, an origin, or what ``resolve`` understands: a reason, a stage.
        count: of either sort, at most.
        seed: another seed gives another choice.

    Raises:
        CorpusError: no candidate was rejected for such a reason.
    """
    origins = frozenset(selection.origins or SYNTHETIC)
    if asked in SYNTHETIC:
        origins = frozenset({asked})
    chosen = replace(selection, origins=origins)
    reasons = None if asked in ("all", KEPT, REJECTED, *SYNTHETIC) else resolve(snapshot, asked)
    kept: tuple[list[Row], int] = ([], 0)
    rejected: tuple[list[Row], int] = ([], 0)
    if asked != REJECTED and reasons is None:
        kept = sample(storage, snapshot.select("text", lang=chosen.lang), chosen, count, seed)
    if asked != KEPT:
        why = chosen if reasons is None else chosen.of_reasons(reasons)
        rejected = sample(storage, snapshot.select("rejected"), why, count, seed)
    with_parents(storage, snapshot, [*kept[0], *rejected[0]])
    return Made(kept[0], kept[1], rejected[0], rejected[1])


def with_parents(storage: Storage, snapshot: Snapshot, rows: Sequence[Row]) -> None:
    """Add to each row ``made``, its provenance, and ``parent_document``, the natural document it was made from.

    Cost: the ids of all text shards, and the rows that are found.
    """
    wanted = {row["parent"] for row in rows if row.get("parent")}
    found = documents(storage, snapshot, wanted) if wanted else {}
    for row in rows:
        row["made"] = provenance(row)
        row["parent_document"] = found.get(row.get("parent") or "")


def documents(storage: Storage, snapshot: Snapshot, ids: Iterable[str]) -> dict[str, Row]:
    """Kept documents by id; those that are not there are left out."""
    wanted = pa.array(sorted(ids), pa.string())
    found: dict[str, Row] = {}
    for file in snapshot.select("text"):
        if len(found) == len(wanted):
            break
        for batch in batches(storage, file):
            for row in batch.filter(pc.is_in(batch.column("id"), wanted)).to_pylist():
                found[row["id"]] = {**row, "path": file.path}
    return found


def provenance(row: Row) -> dict[str, Any]:
    """How a document was made, from its column; empty where it is natural.

    Raises:
        CorpusError: the column holds no JSON object.
    """
    text = row.get("provenance")
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CorpusError(f"the provenance of document {row['id']} is damaged", "Run `evenglot verify`")
    return found


def scores(made: dict[str, Any]) -> dict[str, float]:
    """The numbers by which the gates judged, by name; of several per document their mean is what is kept."""
    found = made.get("scores")
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float)} if found else {}


def is_synthetic(row: Row) -> bool:
    """Whether a row is a synthetic document or a candidate for one."""
    return bool(row.get("provenance")) or row.get("origin", NATURAL) != NATURAL
