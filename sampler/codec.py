"""Arrays of small integers as short strings, for states.

A Rice code (Rice & Plaunt 1971): each number is split at k bits; the low bits are written as they are, all one
after the other, and the high part as that many zeros and a one. The best k is chosen for each array. Numbers of
one size take little more than their logarithm, about 2.5 bits above it, and both directions are array operations.
"""

from __future__ import annotations

import base64
import binascii

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

_LARGEST = 48
_MOST_BITS = 1 << 23


def pack(values: Numbers) -> str:
    """A string of n integers from 0 to 2**48 - 1."""
    if len(values) and (int(values.min()) < 0 or int(values.max()) >= 1 << _LARGEST):
        raise ValueError("numbers are outside 0 to 2**48 - 1")
    costs = [len(values) * k + int((values >> k).sum()) for k in range(_LARGEST)]
    k = int(np.argmin(costs))
    low = ((values[:, None] >> np.arange(k)) & 1).astype(np.uint8)
    high = np.zeros(int((values >> k).sum()) + len(values), dtype=np.uint8)
    high[np.cumsum((values >> k) + 1) - 1] = 1
    data = np.packbits(np.concatenate([low.reshape(-1), high]))
    return base64.b64encode(bytes([k]) + data.tobytes()).decode()


def unpack(text: str, count: int) -> Numbers:
    """The integers of a string.

    Args:
        text: as made by :func:`pack`.
        count: n.

    Returns:
        int64 [n].

    Raises:
        ValueError: the string holds something else.
    """
    if len(text) > _MOST_BITS // 6:
        raise ValueError("a packed array is too long")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"a packed array is not base64: {error}") from error
    if not data or data[0] >= _LARGEST:
        raise ValueError("a packed array does not begin as one")
    k = data[0]
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8, offset=1))
    ends = np.flatnonzero(bits[count * k :])
    if len(bits) < count * k or len(ends) != count:
        raise ValueError(f"a packed array does not hold {count} numbers")
    if len(bits) - count * k - (int(ends[-1]) + 1 if count else 0) >= 8:
        raise ValueError("a packed array goes on behind its last number")
    low = bits[: count * k].reshape(count, k).astype(np.int64) @ (np.int64(1) << np.arange(k, dtype=np.int64))
    high = np.diff(ends, prepend=-1) - 1
    if count and int(high.max()) >= 1 << (_LARGEST - k):
        raise ValueError("a packed array holds a number that is too large")
    return np.asarray((high << k) + low, dtype=np.int64)


def pack_signed(values: Numbers) -> str:
    """As :func:`pack`, of integers of either sign: 0, -1, 1, -2 … are written as 0, 1, 2, 3 …"""
    return pack(np.where(values < 0, -2 * values - 1, 2 * values))


def unpack_signed(text: str, count: int) -> Numbers:
    """The integers of :func:`pack_signed`."""
    found = unpack(text, count)
    return np.where(found & 1, -(found >> 1) - 1, found >> 1)
