"""Candidates: documents that a method made, accepted by its gates or not, before the corpus has judged them.

Every method makes this table; the join reads it as ``prepare`` reads its inputs. A rejected candidate keeps its text,
so that ``rejected/`` shows what was refused and why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import pyarrow as pa

from corpus.hashing import record_id
from corpus.schema import NATURAL, ORIGINS

SOURCE: Final = "augment"
"""First part of the identity of a synthetic record, in place of the name of an input."""

CANDIDATE_SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # of parent, origin, language and variant: see candidate_id
        pa.field("text", pa.string(), nullable=False),
        pa.field("lang", pa.string(), nullable=False),  # that it is meant to be in
        pa.field("origin", pa.string(), nullable=False),
        pa.field("parent", pa.string(), nullable=False),  # id of a natural training document
        pa.field("generator", pa.string(), nullable=False),  # name@revision, " > " between steps
        pa.field("provenance", pa.string(), nullable=False),  # see provenance
        pa.field("source", pa.string(), nullable=False),  # of the parent
        pa.field("file", pa.string(), nullable=False),  # text shard of the parent, relative to the corpus root
        pa.field("offset", pa.int64(), nullable=False),  # row of the parent in it
        pa.field("score", pa.float32(), nullable=False),  # 0 to 1: of two that are nearly the same the better stays
        pa.field("reason", pa.string()),  # why a gate refused it; null: accepted
        pa.field("detail", pa.string()),  # the scores that decided
    ]
)
"""What all methods have in common; further columns are scores of a method and are not carried on."""

COUNTS_KEY: Final = "counts"
"""In a candidate file's metadata: counters as JSON, ``gates/<reason>_sentences`` among them."""


class Candidate(NamedTuple):
    """One row of the table."""

    id: str
    text: str
    lang: str
    origin: str
    parent: str
    generator: str
    provenance: str
    source: str
    file: str
    offset: int
    score: float
    reason: str | None = None
    detail: str | None = None


def candidate_id(parent: str, origin: str, lang: str, variant: str) -> str:
    """The id of a candidate: 32 hexadecimal digits that no natural record has, the same in every run.

    Args:
        parent: id of the natural document.
        origin: how it was made.
        lang: that it is meant to be in.
        variant: tells several candidates of one parent apart, decoding and number included.
    """
    if origin not in ORIGINS or origin == NATURAL:
        raise ValueError(f"a candidate's origin is one of {', '.join(ORIGINS[1:])}, not {origin!r}")
    return record_id(SOURCE, "\x00".join((parent, origin, lang, variant)))


def provenance(method: str, **facts: Any) -> str:
    """How a synthetic document was made, as a JSON object with its keys in order.

    Args:
        method: ``back_translation``, ``paraphrase``, ``insertion``.
        facts: route (tags in order), models (name@revision each), decoding, variant, seed, scores, dropped (sentences
            by gate), and whatever else the method knows; None is left out, numbers are rounded to 4 places.
    """
    known = {name: _rounded(value) for name, value in facts.items() if value is not None}
    return json.dumps({"method": method, **known}, ensure_ascii=False, sort_keys=True)


def candidates_batch(candidates: Iterable[Candidate]) -> pa.RecordBatch:
    """Candidates as a batch of ``CANDIDATE_SCHEMA``."""
    rows = [candidate._asdict() for candidate in candidates]
    return pa.RecordBatch.from_pylist(rows, schema=CANDIDATE_SCHEMA)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return value
