"""Which documents are looked at, decided on whole record batches."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from corpus.schema import NATURAL, UNDETERMINED
from evenglot.inspect.mixed import SEGMENTS, involves

_METHOD: Final = r'"method": "(?P<method>[a-z_]+)"'


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

    origins: frozenset[str] | None = None
    """How a document came about: ``natural``, ``back_translation`` ...; of rejected ones, what they would have been."""
    generator: str | None = None
    """Part of the name of a model that made it."""

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
        if self.origins is not None:
            mask = pc.and_(mask, pc.is_in(origins(batch), pa.array(sorted(self.origins), pa.string())))
        if self.generator is not None:
            column = "generator" if batch.schema.get_field_index("generator") >= 0 else "provenance"
            named = batch.schema.get_field_index(column) >= 0
            made_by = strings(batch, column) if named else pa.nulls(batch.num_rows, pa.string())
            mask = pc.and_(mask, pc.fill_null(pc.match_substring(made_by, self.generator), False))
        return mask


def origins(batch: pa.RecordBatch) -> pa.Array:
    """How each row came about; rejected ones say it in their provenance, and older shards have none."""
    if batch.schema.get_field_index("origin") >= 0:
        return strings(batch, "origin")
    if batch.schema.get_field_index("provenance") < 0:
        return pa.array([NATURAL] * batch.num_rows, pa.string())
    method = pc.struct_field(pc.extract_regex(strings(batch, "provenance"), _METHOD), "method")
    return pc.fill_null(method, NATURAL)


def strings(batch: pa.RecordBatch, column: str) -> pa.Array:
    """A column as plain strings."""
    return pc.cast(batch.column(column), pa.string())
