"""What a batch says of its sites: per document a site, a key of its content and the keys of its lines.

This is all that is compared across batches: 20 bytes a document and 10 a line, no text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.boilerplate.config import BoilerplateConfig
from pipeline.boilerplate.lines import Lines, UInt64s, combine, find_lines, sum_runs
from pipeline.boilerplate.sites import NO_SITE, site_keys, site_names
from pipeline.script.codepoints import Int64s
from pipeline.stage import Outcome
from pipeline.vectors import ranges

DOCUMENT: Final = np.dtype([("site", "<u8"), ("content", "<u8"), ("lines", "<u4")])
"""A document: its site, a key of all its lines in order, and how many lines it has. 20 bytes."""
LINE: Final = np.dtype([("key", "<u8"), ("bytes", "<u2")])
"""A line: its key and its length, at most 65,535. 10 bytes."""
LINES: Final = "lines"
"""Name of the table that the stage sets aside."""
LINES_SCHEMA: Final = pa.schema(
    [
        pa.field("site", pa.uint64()),
        pa.field("content", pa.uint64()),
        pa.field("keys", pa.list_(pa.uint64())),
        pa.field("bytes", pa.list_(pa.uint16())),
    ]
)
_ENOUGH: Final = 1 << 22
"""Lines held in memory before sites with too many documents are cut down to their sample."""


@dataclass(frozen=True)
class Counts:
    """Documents and, in the same order, their lines."""

    documents: npt.NDArray[np.void]
    """Of type DOCUMENT, shape (n,)."""
    lines: npt.NDArray[np.void]
    """Of type LINE, shape (m,), m the sum of the documents' lines."""

    def take(self, rows: Int64s) -> Counts:
        """Some documents with their lines, in the order given."""
        sizes = self.documents["lines"].astype(np.int64)
        begins = np.cumsum(sizes) - sizes
        return Counts(self.documents[rows], self.lines[ranges(begins[rows], sizes[rows])])


def changes(values: UInt64s | Int64s) -> npt.NDArray[np.bool_]:
    """Where a value differs from the one before; the first does."""
    result = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=result[1:])
    return result


@dataclass(frozen=True)
class CountLinesStage:
    """Sets the batch's counts aside as the table ``lines``; the batch passes as it is.

    Counters: ``boilerplate/documents_without_site``.
    """

    config: BoilerplateConfig
    name: ClassVar[str] = "count_lines"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Count one batch."""
        sites = site_keys(site_names(batch, self.config))
        lines = find_lines(batch.column("text"), fold_digits=self.config.fold_digits)
        counts = sampled(count(sites, lines), self.config.sample)
        without = int(np.count_nonzero(sites == NO_SITE))
        counters = {"boilerplate/documents_without_site": without} if without else {}
        return Outcome(batch, None, counters, {LINES: to_batch(counts)})


def count(sites: UInt64s, lines: Lines) -> Counts:
    """The counts of a batch: its documents that have a site and a line.

    Args:
        sites: key of each document's site, shape (n,).
        lines: their lines.
    """
    begins = np.flatnonzero(np.diff(lines.document, prepend=-1))
    documents = np.zeros(len(begins), DOCUMENT)
    documents["lines"] = np.diff(np.append(begins, len(lines.key)))
    documents["site"] = sites[lines.document[begins]]
    place = np.arange(len(lines.key)) - np.repeat(begins, documents["lines"])
    documents["content"] = sum_runs(combine(lines.key, place.astype(np.uint64)), begins)
    packed = np.zeros(len(lines.key), LINE)
    packed["key"] = lines.key
    packed["bytes"] = np.minimum(lines.bytes, np.iinfo(np.uint16).max)
    counts = Counts(documents, packed)
    with_site = np.flatnonzero(documents["site"] != NO_SITE)
    return counts if len(with_site) == len(documents) else counts.take(with_site)


def sampled(counts: Counts, most: int) -> Counts:
    """Different documents of each site, ordered by site and content; of a site with many, those of smallest key.

    The keys are hashes, so these are a fair sample; and of counts cut and joined in any order the same ones stay.
    """
    order = np.lexsort((counts.documents["content"], counts.documents["site"]))
    documents = counts.documents[order]
    different = changes(documents["site"]) | changes(documents["content"])
    order, documents = order[different], documents[different]
    begins = np.flatnonzero(changes(documents["site"]))
    rank = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    return counts.take(order[rank < most])


def join(parts: Iterable[Counts], most: int) -> Counts:
    """The counts of several batches as one, ordered, cut down to the sample whenever they grow large."""
    waiting: list[Counts] = []
    held = 0
    limit = _ENOUGH
    for part in parts:
        waiting.append(part)
        held += len(part.lines)
        if held > limit:
            waiting = [sampled(_concatenate(waiting), most)]
            held = len(waiting[0].lines)
            limit = max(_ENOUGH, 2 * held)
    return sampled(_concatenate(waiting), most)


def _concatenate(parts: Sequence[Counts]) -> Counts:
    return Counts(
        np.concatenate([np.empty(0, DOCUMENT), *(part.documents for part in parts)]),
        np.concatenate([np.empty(0, LINE), *(part.lines for part in parts)]),
    )


def deal(counts: Counts, partitions: int) -> Iterator[tuple[int, tuple[bytes, bytes]]]:
    """Packed documents and lines by partition of their site; ``partitions`` is at most 65,536."""
    numbers = ((counts.documents["site"] >> np.uint64(48)) * np.uint64(partitions) >> np.uint64(16)).astype(np.int64)
    ordered = counts.take(np.argsort(numbers, kind="stable"))
    line_ends = np.concatenate(([0], np.cumsum(ordered.documents["lines"].astype(np.int64))))
    present, sizes = np.unique(numbers, return_counts=True)
    ends = np.cumsum(sizes)
    for number, begin, end in zip(present.tolist(), ends - sizes, ends, strict=True):
        lines = ordered.lines[line_ends[begin] : line_ends[end]]
        yield number, (ordered.documents[begin:end].tobytes(), lines.tobytes())


def unpack(packed: tuple[bytes, bytes]) -> Counts:
    """The counts that ``deal`` packed."""
    return Counts(np.frombuffer(packed[0], DOCUMENT), np.frombuffer(packed[1], LINE))


def to_batch(counts: Counts) -> pa.RecordBatch:
    """Counts as columns, a row for each document."""
    bounds = pa.array(np.concatenate(([0], np.cumsum(counts.documents["lines"]))).astype(np.int32))
    return pa.RecordBatch.from_arrays(
        [
            pa.array(np.ascontiguousarray(counts.documents["site"])),
            pa.array(np.ascontiguousarray(counts.documents["content"])),
            pa.ListArray.from_arrays(bounds, pa.array(np.ascontiguousarray(counts.lines["key"]))),
            pa.ListArray.from_arrays(bounds, pa.array(np.ascontiguousarray(counts.lines["bytes"]))),
        ],
        schema=LINES_SCHEMA,
    )


def from_table(table: pa.Table) -> Counts:
    """The counts that ``to_batch`` made columns of."""
    documents = np.zeros(table.num_rows, DOCUMENT)
    documents["site"] = table.column("site").to_numpy()
    documents["content"] = table.column("content").to_numpy()
    documents["lines"] = pa.compute.list_value_length(table.column("keys")).to_numpy()
    lines = np.zeros(int(documents["lines"].sum()), LINE)
    lines["key"] = pa.compute.list_flatten(table.column("keys")).to_numpy()
    lines["bytes"] = pa.compute.list_flatten(table.column("bytes")).to_numpy()
    return Counts(documents, lines)
