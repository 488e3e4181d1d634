"""Clusters of duplicates: the document that stayed, the copies that went, how alike they are and what differs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from corpus.manifest import Snapshot
from corpus.schema import UNDETERMINED
from corpus.storage import Storage
from corpus.tags import UNSPACED, script_of
from evenglot.inspect.difference import Change, difference
from evenglot.inspect.sample import batches
from evenglot.inspect.selection import Selection, strings

Row = dict[str, Any]
_HELD: Final = 64
"""Copies of a cluster that are kept in memory while they are read, at least."""
_SHINGLE: Final = 5
"""Words, or characters where a script parts none, that similarity is counted in."""


@dataclass(frozen=True)
class Copy:
    """A rejected document beside the kept one."""

    row: Row
    jaccard: float
    """Shingles that both have, of all that either has."""
    containment: float
    """Of the shingles of the shorter document, those that the longer one has too."""
    changes: list[Change]
    """From the kept document to this one; empty where they differ in white space at most."""


@dataclass(frozen=True)
class Cluster:
    """A kept document and some of its copies."""

    id: str
    """Of the kept document."""
    copies: int
    """Documents rejected for it, in the selection."""
    kept: Row | None
    """None where the kept document is not in this snapshot's shards."""
    shown: list[Copy] = field(default_factory=list)


class ClusterCount(NamedTuple):
    """The clusters of one language, by the language of the copies."""

    lang: str
    clusters: int
    copies: int
    largest: int
    """Copies in the largest of them."""


def counts(storage: Storage, snapshot: Snapshot, selection: Selection) -> tuple[Counter[str], list[ClusterCount]]:
    """Copies by the id of the kept document, and a summary of every language, the most copies first."""
    by_language: dict[str, Counter[str]] = defaultdict(Counter)
    for file in snapshot.select("rejected"):
        for batch in batches(storage, file):
            mask = pc.and_(selection.mask(batch), batch.column("duplicate_of").is_valid())
            chosen = pa.table(
                {
                    "lang": pc.fill_null(strings(batch, "lang").filter(mask), UNDETERMINED),
                    "kept": batch.column("duplicate_of").filter(mask),
                }
            )
            for group in chosen.group_by(["lang", "kept"]).aggregate([([], "count_all")]).to_pylist():
                by_language[group["lang"]][group["kept"]] += group["count_all"]
    total: Counter[str] = Counter()
    for found in by_language.values():
        total.update(found)
    summary = [
        ClusterCount(lang, len(found), sum(found.values()), max(found.values())) for lang, found in by_language.items()
    ]
    return total, sorted(summary, key=lambda one: (-one.copies, one.lang))


def clusters(
    storage: Storage, snapshot: Snapshot, sizes: Counter[str], selection: Selection, *, count: int, copies: int
) -> list[Cluster]:
    """The largest clusters, with their texts compared.

    Args:
        storage: the corpus.
        snapshot: its state.
        sizes: as ``counts`` gave them.
        selection: which copies.
        count: clusters at most.
        copies: copies shown of each: those that are not the same text first, then in the order of their ids.
    """
    chosen = [name for name, _ in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:count]]
    kept = {row["id"]: row for row in _rows(storage, snapshot, "text", "id", chosen)}
    removed: dict[str, list[Row]] = defaultdict(list)
    for row in _rows(storage, snapshot, "rejected", "duplicate_of", chosen, selection):
        of_it = removed[row["duplicate_of"]]
        of_it.append(row)
        if len(of_it) > 2 * max(copies, _HELD):
            removed[row["duplicate_of"]] = sorted(of_it, key=_unlike_first)[: max(copies, _HELD)]
    found = []
    for name in chosen:
        rows = sorted(removed[name], key=_unlike_first)[:copies]
        shown = [_copy(kept.get(name), row) for row in rows]
        found.append(Cluster(name, sizes[name], kept.get(name), shown))
    return found


def _unlike_first(row: Row) -> tuple[bool, str, int]:
    return row["reason"] != "near_duplicate", row["id"], row["offset"]


def similarity(first: str, second: str, *, spaced: bool = True) -> tuple[float, float]:
    """Jaccard similarity and containment of two texts, exact, by shingles of five words or characters."""
    a, b = _shingles(first, spaced), _shingles(second, spaced)
    common = len(a & b)
    return common / max(1, len(a | b)), common / max(1, min(len(a), len(b)))


def as_json(cluster: Cluster) -> dict[str, Any]:
    """A cluster for machines; similarities that could not be measured are null."""
    shown = [
        {
            **copy.row,
            "jaccard": None if cluster.kept is None else round(copy.jaccard, 4),
            "containment": None if cluster.kept is None else round(copy.containment, 4),
            "changes": [change._asdict() for change in copy.changes],
        }
        for copy in cluster.shown
    ]
    return {"id": cluster.id, "copies": cluster.copies, "kept": cluster.kept, "shown": shown}


def _shingles(text: str, spaced: bool) -> set[tuple[str, ...]]:
    units = text.lower().split() if spaced else [character for character in text if not character.isspace()]
    if len(units) < _SHINGLE:
        return {tuple(units)}
    return {tuple(units[start : start + _SHINGLE]) for start in range(len(units) - _SHINGLE + 1)}


def _copy(kept: Row | None, row: Row) -> Copy:
    if kept is None:
        return Copy(row, float("nan"), float("nan"), [])
    spaced = script_of(kept["lang"]) not in UNSPACED
    text = row.get("text") or ""
    jaccard, containment = similarity(kept["text"], text, spaced=spaced)
    return Copy(row, jaccard, containment, difference(kept["text"], text, spaced=spaced))


def _rows(
    storage: Storage,
    snapshot: Snapshot,
    kind: str,
    column: str,
    values: Iterable[str],
    selection: Selection | None = None,
) -> Iterable[Row]:
    wanted = pa.array(list(values), pa.string())
    for file in snapshot.select("text" if kind == "text" else "rejected"):
        for batch in batches(storage, file):
            mask = pc.is_in(batch.column(column), wanted)
            if selection is not None:
                mask = pc.and_(mask, selection.mask(batch))
            yield from batch.filter(mask).to_pylist()
