"""Which documents are looked at, decided on whole record batches."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from corpus.schema import UNDETERMINED
from evenglot.inspect.mixed import SEGMENTS, involves


@dataclass(frozen=True)
class Selection:
    """Conditions that all hold for a document; one that is None always holds."""

    lang: str | None = None
    """Tag; ``und`` includes records whose language was never found."""
    source: str | None = None
    """Name of an input, or a site: the host of the address or a domain above it."""
    contains: str | None = None
    """Part of the text, in any case."""
    reasons: frozenset[str] | None = None
    """``stage/reason`` of rejected documents."""
    limit: str | None = None
    """Of rejected documents: name of the limit that decided."""
    mixed: bool = False
    """Only documents in several languages; a language is then any of those in them."""

    def of_reasons(self, reasons: Iterable[str], limit: str | None = None) -> Selection:
        """The same, and rejected for one of these, by this limit."""
        return replace(self, reasons=frozenset(reasons), limit=limit)

    def mask(self, batch: pa.RecordBatch) -> pa.Array:
        """Whether each row of a batch is one of them; the batch has the columns of a record or of a rejected one."""
        mask = pa.array([True] * batch.num_rows, pa.bool_())
        if self.mixed:
            if batch.schema.get_field_index(SEGMENTS) < 0:
                return pa.array([False] * batch.num_rows, pa.bool_())
            segments = batch.column(SEGMENTS)
            mask = segments.is_valid() if self.lang is None else involves(segments, self.lang)
        elif self.lang is not None:
            mask = pc.and_(mask, pc.equal(pc.fill_null(strings(batch, "lang"), UNDETERMINED), self.lang))
        if self.reasons is not None:
            named = pc.binary_join_element_wise(strings(batch, "stage"), strings(batch, "reason"), "/")
            mask = pc.and_(mask, pc.is_in(named, pa.array(sorted(self.reasons), pa.string())))
        if self.limit is not None:
            by_it = pc.match_substring(strings(batch, "detail"), f" {self.limit} ")
            mask = pc.and_(mask, pc.fill_null(by_it, False))
        if self.source is not None:
            host = rf"(?i)^[a-z][a-z0-9+.-]*://([^/?#]*[@.])?{re.escape(self.source)}([:/?#]|$)"
            same = pc.fill_null(pc.equal(strings(batch, "source"), self.source), False)
            there = pc.fill_null(pc.match_substring_regex(strings(batch, "url"), host), False)
            mask = pc.and_(mask, pc.or_(same, there))
        if self.contains is not None:
            found = pc.match_substring(strings(batch, "text"), self.contains, ignore_case=True)
            mask = pc.and_(mask, pc.fill_null(found, False))
        return mask


def strings(batch: pa.RecordBatch, column: str) -> pa.Array:
    """A column as plain strings."""
    return pc.cast(batch.column(column), pa.string())
