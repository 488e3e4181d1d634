"""The stage that takes the boilerplate lines out of the documents."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.boilerplate import REMOVED_SCHEMA
from pipeline.boilerplate.config import BoilerplateConfig
from pipeline.boilerplate.keys import load_keys
from pipeline.boilerplate.lines import UInt64s, combine, find_lines
from pipeline.boilerplate.select import anywhere
from pipeline.boilerplate.sites import NO_SITE, site_keys, site_names
from pipeline.stage import Outcome, with_column

REMOVED: Final = "removed"
"""Name of the table of removed lines that the stage sets aside."""
REPAIR: Final = "boilerplate"


@dataclass(frozen=True)
class BoilerplateStage:
    """Removes lines from ``text`` and notes ``boilerplate`` in the column ``repairs``; rejects nothing.

    A line without a letter stays, and so does a document that would be left empty. Blank lines around a removed
    line shrink to the larger of those before and after it.

    Counters: ``boilerplate/lines`` and ``boilerplate/bytes`` removed, ``boilerplate/documents`` changed,
    ``boilerplate/nothing_else`` documents left as they are because nothing else is in them. Table ``removed``: site,
    line and how often it was removed, in the columns of ``corpus.boilerplate.REMOVED_SCHEMA``.
    """

    config: BoilerplateConfig
    work: str
    """Folder with the file of keys."""
    keys: str
    """Its name: ``select.removal_keys`` in the column ``key``."""
    name: ClassVar[str] = "boilerplate"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Clean one batch."""
        texts = batch.column("text")
        sites = site_names(batch, self.config)
        places = boilerplate_lines(texts, site_keys(sites), load_keys(self.work, self.keys), self.config)
        counters: Counter[str] = Counter()
        removed: Counter[tuple[str | None, str]] = Counter()
        changed: dict[int, str] = {}
        rows = pa.array(list(places), pa.int64())
        for row, text, site in zip(places, texts.take(rows).to_pylist(), sites.take(rows).to_pylist(), strict=True):
            cleaned, taken = without_lines(text, places[row])
            if not taken:
                continue
            if not cleaned:
                counters["boilerplate/nothing_else"] += 1
                continue
            changed[row] = cleaned
            removed.update((site, line) for line in taken)
            counters["boilerplate/lines"] += len(taken)
            counters["boilerplate/documents"] += 1
        if changed:
            mask = np.zeros(batch.num_rows, np.bool_)
            mask[list(changed)] = True
            before = pc.sum(pc.binary_length(texts)).as_py()
            texts = pc.replace_with_mask(texts, pa.array(mask), pa.array(list(changed.values()), texts.type))
            counters["boilerplate/bytes"] = before - pc.sum(pc.binary_length(texts)).as_py()
            batch = with_column(with_column(batch, "text", texts), "repairs", noted(batch.column("repairs"), mask))
        return Outcome(batch, None, dict(sorted(counters.items())), {REMOVED: removed_batch(removed)})


def boilerplate_lines(
    texts: pa.Array, sites: UInt64s, keys: UInt64s, config: BoilerplateConfig
) -> dict[int, list[int]]:
    """The numbers of the boilerplate lines of the documents that have any, by row, in order.

    Args:
        texts: n texts.
        sites: key of each one's site, shape (n,).
        keys: what ``removal_keys`` returned.
        config: as it was when the lines were counted.
    """
    lines = find_lines(texts, fold_digits=config.fold_digits)
    if len(keys) == 0 or len(lines.key) == 0:
        return {}
    site = sites[lines.document]
    hit = (contained(combine(site, lines.key), keys) & (site != NO_SITE)) | contained(anywhere(lines.key), keys)
    places: dict[int, list[int]] = {}
    for row, number in zip(lines.document[hit].tolist(), lines.number[hit].tolist(), strict=True):
        places.setdefault(row, []).append(number)
    return places


def contained(values: UInt64s, keys: UInt64s) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which values are among keys that are in order and at least one; reads only the pages of memory it needs."""
    found = np.minimum(np.searchsorted(keys, values), len(keys) - 1)
    result: np.ndarray[tuple[int], np.dtype[np.bool_]] = keys[found] == values
    return result


def without_lines(text: str, numbers: list[int]) -> tuple[str, list[str]]:
    """The text without some of its lines, and the lines taken out, without blanks at their ends.

    Args:
        text: any text.
        numbers: which lines, from 0; those that hold no letter stay.
    """
    lines = text.split("\n")
    out = {number for number in numbers if any(map(str.isalpha, lines[number]))}
    if not out:
        return text, []
    kept: list[str] = []
    blank, gap, largest = 0, False, 0
    for number, line in enumerate(lines):
        if number in out:
            largest, blank, gap = max(largest, blank), 0, True
        elif not line.strip(" \t"):
            blank += 1
        else:
            if kept:
                kept += [""] * (max(largest, blank) if gap else blank)
            kept.append(line)
            blank, gap, largest = 0, False, 0
    return "\n".join(kept), [lines[number].strip(" \t") for number in sorted(out)]


def noted(repairs: pa.Array, changed: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> pa.Array:
    """The names of repairs with this one added where a document was changed."""
    joined = pc.binary_join_element_wise(repairs, REPAIR, ",", null_handling="skip")
    return pc.if_else(pa.array(changed), joined, repairs)


def removed_batch(removed: Counter[tuple[str | None, str]]) -> pa.RecordBatch:
    """Removed lines by site and line."""
    rows = sorted(((site or "", line, count) for (site, line), count in removed.items()))
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, REMOVED_SCHEMA, strict=True)],
        schema=REMOVED_SCHEMA,
    )
