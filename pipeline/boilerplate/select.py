"""Which lines of a site are boilerplate, from the counts of all its documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.boilerplate.config import BoilerplateConfig
from pipeline.boilerplate.count import Counts, changes
from pipeline.boilerplate.lines import UInt64s, combine

SELECTED: Final = np.dtype([("line", "<u8"), ("site", "<u8"), ("pages", "<u4"), ("of", "<u4"), ("bytes", "<u2")])
"""A line of a site: its key, its site's, the different pages it stands in, those the site has, its length."""
SELECTED_SCHEMA: Final = pa.schema(
    [pa.field(name, pa.from_numpy_dtype(SELECTED[name])) for name in SELECTED.names or ()]
)
_COMMON: Final = 0.5
"""Share of a site's documents from which on a line tells nothing of what a page is about."""


def select(counts: Counts, config: BoilerplateConfig) -> npt.NDArray[np.void]:
    """The boilerplate lines of some sites.

    Two documents are one page where their longest line is the same, lines apart that half of the site's documents
    have: so copies of a page count once, also those with another beginning or end. A line is boilerplate when it
    stands in enough pages and in a large enough share of the site's; a page of nothing but common lines counts
    neither way.

    Args:
        counts: all documents of those sites, different ones, ordered by site (``count.join`` makes them so).
        config: how many are enough.

    Returns:
        rows of type SELECTED, ordered by site and line.
    """
    documents, lines = counts.documents, counts.lines
    if len(lines) == 0:
        return np.empty(0, SELECTED)
    sizes = documents["lines"].astype(np.int64)
    site_begins = np.flatnonzero(changes(documents["site"]))
    site_of_document = np.repeat(np.arange(len(site_begins)), np.diff(np.append(site_begins, len(documents))))
    documents_of_site = np.bincount(site_of_document)
    document = np.repeat(np.arange(len(documents)), sizes)
    pair = combine(documents["site"][document], np.ascontiguousarray(lines["key"]))

    # In how many documents of its site does each line stand? The sort is stable, so documents are in order in it.
    order = np.argsort(pair, kind="stable")
    new_line = changes(pair[order])
    line_of = np.cumsum(new_line) - 1
    apart = new_line | changes(document[order])
    standing = np.bincount(line_of[apart])
    first = order[new_line]
    site = site_of_document[document[first]]

    # What each document's page is: its longest line among those that are not common.
    common = np.empty(len(lines), np.bool_)
    common[order] = (standing >= _COMMON * documents_of_site[site])[line_of]
    weight = (lines["bytes"].astype(np.uint64) << np.uint64(48)) | (lines["key"] >> np.uint64(16))
    weight[common] = 0
    page = np.maximum.reduceat(weight, np.cumsum(sizes) - sizes)
    own = page != 0
    pages_of_site = np.bincount(
        site_of_document[own][_firsts(page[own], site_of_document[own])], minlength=len(site_begins)
    )

    # In how many pages does each of the lines stand that stand in enough documents?
    worth = (standing >= config.min_documents)[line_of] & apart & own[document[order]]
    kept_lines, kept_pages = line_of[worth], page[document[order[worth]]]
    pages = np.bincount(kept_lines[_firsts(kept_pages, kept_lines)], minlength=len(standing))

    length = lines["bytes"][first].astype(np.int64)
    of = pages_of_site[site]
    paragraph = length > config.paragraph_bytes
    least = np.where(
        paragraph,
        np.maximum(2 * config.min_documents, config.paragraph_share * of),
        np.maximum(config.min_documents, config.min_share * of),
    )
    chosen = np.flatnonzero((pages >= least) & (length <= config.longest_bytes))
    selected = np.zeros(len(chosen), SELECTED)
    selected["line"] = lines["key"][first[chosen]]
    selected["site"] = documents["site"][document[first[chosen]]]
    selected["pages"], selected["of"], selected["bytes"] = pages[chosen], of[chosen], length[chosen]
    return np.sort(selected, order=["site", "line"])


def removal_keys(selected: Sequence[npt.NDArray[np.void]], config: BoilerplateConfig) -> UInt64s:
    """What the removal looks up: a key for each line of a site, and for each line that many sites share.

    Args:
        selected: rows of type SELECTED of different sites.
        config: how many sites are many.

    Returns:
        Keys in order: ``combine(site, line)``, and ``anywhere(line)`` of a line that is no paragraph and
        boilerplate on ``min_sites`` sites.
    """
    rows = np.concatenate([np.empty(0, SELECTED), *selected])
    keys = [combine(np.ascontiguousarray(rows["site"]), np.ascontiguousarray(rows["line"]))]
    if config.min_sites:
        short = rows["line"][rows["bytes"] <= config.paragraph_bytes]
        lines, sites = np.unique(short, return_counts=True)
        keys.append(anywhere(lines[sites >= config.min_sites]))
    return np.unique(np.concatenate(keys))


def selected_batch(rows: npt.NDArray[np.void]) -> pa.RecordBatch:
    """Rows of type SELECTED as columns."""
    columns = [pa.array(np.ascontiguousarray(rows[name])) for name in SELECTED_SCHEMA.names]
    return pa.RecordBatch.from_arrays(columns, schema=SELECTED_SCHEMA)


def selected_rows(table: pa.Table) -> npt.NDArray[np.void]:
    """The rows that ``selected_batch`` made columns of."""
    rows = np.zeros(table.num_rows, SELECTED)
    for name in SELECTED_SCHEMA.names:
        rows[name] = table.column(name).to_numpy()
    return rows


def anywhere(lines: UInt64s) -> UInt64s:
    """The keys of lines that are boilerplate on any site."""
    return combine(np.zeros(len(lines), np.uint64), lines)


def _firsts(minor: npt.NDArray[np.uint64], major: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Indices of one of each of the different pairs."""
    order = np.lexsort((minor, major))
    result: npt.NDArray[np.int64] = order[changes(minor[order]) | changes(major[order])]
    return result
