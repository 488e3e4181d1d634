"""The lines that were removed as boilerplate, by site."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from corpus.boilerplate import removed_lines
from corpus.manifest import Snapshot
from corpus.storage import Storage


@dataclass(frozen=True)
class Site:
    """A site and the lines that its pages share."""

    site: str
    """Host; empty for documents without an address."""
    removed: int
    """Times that a line was removed from one of its documents."""
    different: int
    """Different lines."""
    lines: list[tuple[str, int]] = field(default_factory=list)
    """The most frequent ones, with how often each was removed."""


@dataclass(frozen=True)
class Boilerplate:
    """What was removed as boilerplate, over all sites chosen."""

    sites: int
    removed: int
    different: int
    """Different pairs of site and line."""
    shown: list[Site]
    """The sites of most removals, the most first."""


def boilerplate(
    storage: Storage,
    snapshot: Snapshot,
    *,
    site: str | None = None,
    contains: str | None = None,
    sites: int,
    lines: int,
) -> Boilerplate:
    """Removed lines by site.

    Args:
        storage: the corpus.
        snapshot: one of its snapshots; one without removed lines gives none.
        site: only of this host, or of a domain and the hosts under it.
        contains: only lines with this in them, in any case.
        sites: sites shown at most.
        lines: lines shown of each at most.
    """
    table = removed_lines(storage, snapshot)
    if site is not None:
        name = site.lower()
        under = pc.ends_with(table.column("site"), f".{name}")
        table = table.filter(pc.or_(pc.equal(table.column("site"), name), under))
    if contains is not None:
        table = table.filter(pc.match_substring(table.column("line"), contains, ignore_case=True))
    totals = table.group_by("site").aggregate([("count", "sum"), ([], "count_all")])
    ranked = totals.sort_by([("count_sum", "descending"), ("site", "ascending")])
    shown = []
    for row in ranked.slice(0, sites).to_pylist():
        mine = table.filter(pc.equal(table.column("site"), row["site"]))
        mine = mine.sort_by([("count", "descending"), ("line", "ascending")]).slice(0, lines)
        pairs = list(zip(mine.column("line").to_pylist(), mine.column("count").to_pylist(), strict=True))
        shown.append(Site(row["site"], row["count_sum"], row["count_all"], pairs))
    return Boilerplate(ranked.num_rows, _sum(table.column("count")), table.num_rows, shown)


def _sum(column: pa.ChunkedArray) -> int:
    return int(pc.sum(column).as_py() or 0)
