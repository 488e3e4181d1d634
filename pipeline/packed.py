"""Rows of NumPy arrays as packed bytes by a number: what travels between the workers of a job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.deduplicate.exact import Rows, partition

_MOST_PARTITIONS: Final = 256


def by_piece(decisions: Rows) -> Iterator[tuple[int, bytes]]:
    """Packed decisions by the number of their piece."""
    return by_number(decisions, decisions["piece"].astype(np.int64))


def by_partition(rows: Rows, field: str, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Packed rows by partition of one of their keys."""
    yield from by_number(rows, partition(rows, field, partitions))


def by_number(rows: npt.NDArray[Any], numbers: npt.NDArray[np.int64]) -> Iterator[tuple[int, bytes]]:
    """Packed rows by a number that is given for each."""
    order = np.argsort(numbers, kind="stable")
    for number, start, stop in equal_runs(numbers[order]):
        yield number, rows[order[start:stop]].tobytes()


def equal_runs(numbers: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """(value, start, stop) of every run of equal values in an ordered array."""
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    stops = np.append(starts[1:], len(numbers))[: len(starts)]
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        yield int(numbers[start]), start, stop


def unpack(packed: Iterable[bytes], kind: np.dtype[np.void]) -> Rows:
    """Packed rows of several elements as one array that may be written to."""
    return np.frombuffer(b"".join(packed), dtype=kind).copy()


def partitions_for(pieces: int) -> int:
    """Into how many parts keys of so many pieces are dealt."""
    return max(1, min(_MOST_PARTITIONS, pieces))
