"""The stage that finds documents which hold text of an evaluation set."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Final

import pyarrow as pa

from corpus.storage import Storage
from pipeline.decontaminate.config import DecontaminateConfig
from pipeline.decontaminate.index import Hit, Index, Lookup
from pipeline.stage import Outcome, split_batch, with_column

OVERLAP: Final = "overlap"
MARKED: Final = "decontaminate/marked"
NGRAMS: Final = "decontaminate/ngrams"
ITEM: Final = "decontaminate/item/"
"""Counters that begin so say how many documents hold which item; the item's row in the index follows."""
_PASSAGE: Final = 200
"""Characters of the matched text that are shown."""


@dataclass(frozen=True)
class DecontaminateStage:
    """Rejects, or marks, documents that share an n-gram with an evaluation item.

    A document that holds several items is put down to the one with which it shares most n-grams. Counters:
    ``decontaminate/marked``, documents marked; ``decontaminate/ngrams``, different n-grams shared with those items;
    ``decontaminate/item/ROW``, documents by item.

    Args:
        config: the sets and what to do.
        work: the run's work folder, which holds the index.
    """

    config: DecontaminateConfig
    work: str
    name: ClassVar[str] = "decontaminate"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Compare one batch."""
        lookup = load_lookup(self.work, self.config)
        found = by_document(lookup.find(batch.column("text")), lookup)
        if not found:
            return Outcome(batch)
        counters: Counter[str] = Counter()
        for overlap in found.values():
            counters[NGRAMS] += overlap.ngrams
            counters[f"{ITEM}{overlap.item}"] += 1
        if self.config.action == "mark":
            counters[MARKED] = len(found)
            return Outcome(self.marked(batch, found, lookup), None, counters)
        reasons = [OVERLAP if row in found else None for row in range(batch.num_rows)]
        details = [self.detail(found[row], lookup) if row in found else None for row in range(batch.num_rows)]
        return split_batch(batch, reasons, details, counters)

    def detail(self, overlap: Overlap, lookup: Lookup) -> str:
        """What decided: file, item, n-grams, text."""
        label, item = lookup.labels[lookup.files[overlap.item]], lookup.item_id(overlap.item)
        share = f"{overlap.ngrams} of {lookup.sizes[overlap.item]} n-grams"
        others = f", and {overlap.others} more items" if overlap.others else ""
        return f"{label} item {item}: {share}{others}: {shown(overlap.passage)}"

    def marked(self, batch: pa.RecordBatch, found: dict[int, Overlap], lookup: Lookup) -> pa.RecordBatch:
        """The batch, its contaminated rows marked in ``meta``."""
        index = batch.schema.get_field_index("meta")
        metas: list[str | None] = [None] * batch.num_rows if index < 0 else batch.column(index).to_pylist()
        for row, overlap in found.items():
            known = metas[row]
            meta: dict[str, Any] = json.loads(known) if known else {}
            meta[self.name] = {
                "file": lookup.labels[lookup.files[overlap.item]],
                "item": lookup.item_id(overlap.item),
                "ngrams": overlap.ngrams,
            }
            metas[row] = json.dumps(meta, ensure_ascii=False, separators=(",", ":"))
        return with_column(batch, "meta", pa.array(metas, pa.string()))


@dataclass(frozen=True)
class Overlap:
    """What a document has of the item it shares most with."""

    item: int
    ngrams: int
    others: int
    """Further items of which it holds something."""
    passage: str
    """Its first matched text."""


def by_document(hits: list[Hit], lookup: Lookup) -> dict[int, Overlap]:
    """Hits put together for each document; of items with equally many the first in the order of the files counts."""
    places: dict[int, dict[int, dict[int, str]]] = {}
    for hit in hits:
        places.setdefault(hit.row, {}).setdefault(hit.item, {}).setdefault(hit.start, hit.passage)
    found = {}
    for row, items in sorted(places.items()):
        item = min(items, key=lambda item: (-len(items[item]), item))
        first = min(items[item])
        found[row] = Overlap(item, len(items[item]), len(items) - 1, items[item][first])
    return found


def shown(passage: str) -> str:
    """The matched text on one line, cut to a length that can be read."""
    line = " ".join(passage.split())
    return f'"{line[:_PASSAGE]}…"' if len(line) > _PASSAGE else f'"{line}"'


@lru_cache(maxsize=1)
def load_lookup(work: str, config: DecontaminateConfig) -> Lookup:
    """The index of a run, loaded once for each process; the work folder's name holds the files' hash."""
    return Lookup(Index.read(Storage(work)), config)
