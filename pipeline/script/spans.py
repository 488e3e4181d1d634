"""Hashes of spans of a long array in three operations each: differences of the prefix sums of a polynomial.

With sums S[i] of value[j] * B^j over j < i, (S[stop] - S[start]) * B^-start modulo 2^64 is the same for equal spans
wherever they stand (Karp and Rabin 1987, "Efficient randomized pattern-matching algorithms"). Its low bits are poor:
who uses it spreads them. Powers are kept for two chunks of code points and begin anew beyond; only a document longer
than a chunk reaches that, and in it the spans across such a place, one at most for each, get another value.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.script.codepoints import CHUNK

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]

BASE: Final = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64


@cache
def powers(base: int = BASE) -> tuple[UInt64s, UInt64s]:
    """Powers of an odd base and of its inverse modulo 2^64 from 0 on; shape (2 * CHUNK,) each."""
    tables = []
    for factor in (base, pow(base, -1, 1 << 64)):
        table = np.full(2 * CHUNK, factor, np.uint64)
        table[0] = 1
        table = np.multiply.accumulate(table)
        table.flags.writeable = False
        tables.append(table)
    return tables[0], tables[1]


def prefix_sums(values: npt.NDArray[np.unsignedinteger[Any]]) -> UInt64s:
    """Prefix sums of n values of at most 64 bits; shape (n + 1,)."""
    factors, _ = powers()
    if len(values) > len(factors):
        factors = np.resize(factors, len(values))
    sums = np.empty(len(values) + 1, np.uint64)
    sums[0] = 0
    np.cumsum(factors[: len(values)] * values, out=sums[1:])
    return sums


def span_values(sums: UInt64s, starts: Int64s, stops: Int64s) -> UInt64s:
    """The values of k spans, equal for equal ones; shape (k,).

    Args:
        sums: ``prefix_sums`` of the array.
        starts, stops: where each span begins, and one past its end.
    """
    _, inverses = powers()
    places = starts if len(sums) <= len(inverses) else starts % len(inverses)
    values: UInt64s = (sums[stops] - sums[starts]) * inverses[places]
    return values
