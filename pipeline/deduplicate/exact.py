"""Exact duplicates by packed keys: pure NumPy over arrays of 52-byte rows, never over text.

A row stands for one record that passed the filters. Rows are dealt to partitions by a byte of the key that
is compared, so that all rows which could be equal meet in one partition; what a partition decides depends
on its rows alone, not on their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import xxhash

from pipeline.deduplicate.config import DeduplicateConfig

ROW: Final = np.dtype(
    [
        ("id", "S16"),  # record id
        ("key", "S16"),  # key of the text
        ("quality", "<f4"),
        ("bytes", "<u4"),
        ("piece", "<u4"),  # which staged file
        ("row", "<u4"),  # which row of it
        ("order", "<u4"),  # where it stood in the piece as it was read
    ]
)
"""One surviving record: 52 bytes."""

DECISION: Final = np.dtype(
    [("piece", "<u4"), ("row", "<u4"), ("verdict", "u1"), ("copies", "<u4"), ("other", "S16")], align=True
)
"""What became of a record: its place, the verdict, the documents it stands for, and the id of the kept one."""

MOST_PIECES: Final = 1 << 32
"""More than a run can have."""

KEPT: Final = 0
DUPLICATE_TEXT: Final = 1
REPEATED_ID: Final = 2
NEAR_DUPLICATE: Final = 3
REFUSED: Final = 4
"""For another reason than a comparison; the decisions say which."""

Rows = npt.NDArray[np.void]


def partition(rows: Rows, field: str, partitions: int) -> npt.NDArray[np.int64]:
    """Partition of each row by the last two bytes of one of its keys; ``partitions`` is at most 65,536."""
    raw = np.ascontiguousarray(rows[field]).view(np.uint8).reshape(len(rows), 16)
    value = raw[:, 14].astype(np.int64) * 256 + raw[:, 15]
    return value * partitions >> 16


@dataclass(frozen=True)
class IdOutcome:
    """Rows with ids of their own, and decisions on those that repeated one."""

    unique: Rows
    decisions: Rows


def resolve_ids(rows: Rows, config: DeduplicateConfig, pieces: int = MOST_PIECES) -> IdOutcome:
    """Of several records with one id and different texts, the first in reading order keeps the id.

    The others are decided on here, or go on under an id made of the old one and the text's key, as the
    configuration says. Records that share id and text are left to the comparison of texts. Earlier documents come
    first and are never decided on.

    Args:
        rows: all rows of a partition by id, in any order.
        config: what to do with the others.
        pieces: of the run; pieces with this number or a higher one hold earlier documents.
    """
    ordered = rows[np.lexsort((rows["order"], rows["piece"], rows["piece"] < pieces, rows["id"]))]
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered["id"][1:] != ordered["id"][:-1]
    owner = np.flatnonzero(first)[np.cumsum(first) - 1]
    repeated = ~first & (ordered["piece"] < pieces)
    if config.exact:
        repeated &= ordered["key"] != ordered["key"][owner]
    decisions = np.zeros(int(repeated.sum()), dtype=DECISION)
    if config.repeated_id == "keep":
        for row in np.flatnonzero(repeated):
            place = b"%d/%d" % (ordered["piece"][row], ordered["order"][row]) if not config.exact else b""
            ordered["id"][row] = xxhash.xxh3_128_digest(ordered[row]["id"] + ordered[row]["key"] + place)
        return IdOutcome(ordered, decisions[:0])
    for name in ("piece", "row"):
        decisions[name] = ordered[name][repeated]
    decisions["verdict"] = REPEATED_ID
    decisions["other"] = ordered["id"][repeated]
    return IdOutcome(ordered[~repeated], decisions)


def resolve_texts(rows: Rows, pieces: int = MOST_PIECES) -> Rows:
    """One decision for each row: of equal texts the best stays and counts the others.

    The best is an earlier document, the first of those; else the one of higher quality, then longer (in bytes), then
    of smaller id, then the first in reading order. Earlier documents of which there is no new copy are left out.

    Args:
        rows: all rows of a partition by text key, in any order.
        pieces: of the run; pieces with this number or a higher one hold earlier documents.
    """
    shortness = np.iinfo(np.uint32).max - rows["bytes"]
    age = np.where(rows["piece"] >= pieces, rows["piece"].astype(np.int64), MOST_PIECES)
    order = (rows["order"], rows["piece"], rows["id"], shortness, -rows["quality"], age, rows["key"])
    ordered = rows[np.lexsort(order)]
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered["key"][1:] != ordered["key"][:-1]
    starts = np.flatnonzero(first)
    cluster = np.cumsum(first) - 1
    earlier = ordered["piece"] >= pieces
    sizes = np.add.reduceat(~earlier | first, starts) if len(starts) else starts
    decisions = keep_all(ordered)
    decisions["verdict"] = np.where(first, KEPT, DUPLICATE_TEXT)
    decisions["copies"] = np.where(first, sizes[cluster], 0)
    decisions["other"] = ordered["id"][starts[cluster]]
    return decisions[~earlier | (first & (decisions["copies"] > 1))]


def keep_all(rows: Rows) -> Rows:
    """The decision to keep, for each row, as a document that stands for itself."""
    decisions = np.zeros(len(rows), dtype=DECISION)
    for name in ("piece", "row"):
        decisions[name] = rows[name]
    decisions["verdict"] = KEPT
    decisions["copies"] = 1
    decisions["other"] = rows["id"]
    return decisions
