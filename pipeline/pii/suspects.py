"""Which documents can hold personal data at all, from the bytes of a whole batch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.script.codepoints import Bytes, Int64s

Bools = npt.NDArray[np.bool_]


def may_hold(raw: Bytes, bounds: Int64s) -> Bools:
    """Documents with an at sign, with seven digits close together, or with three dots or colons among digits.

    Args:
        raw: UTF-8 of n documents, end to end.
        bounds: their bounds, shape (n + 1,), from 0.

    Returns:
        shape (n,). False is certain, true is not.
    """
    found = np.zeros(len(bounds) - 1, np.bool_)
    if not len(raw):
        return found
    digits = (raw >= ord("0")) & (raw <= ord("9"))
    spelled = digits.copy()
    # Digits of Arabic, Persian and Devanagari by their last byte.
    spelled[1:] |= (raw[:-1] == 0xD9) & (raw[1:] >= 0xA0) & (raw[1:] <= 0xA9)
    spelled[1:] |= (raw[:-1] == 0xDB) & (raw[1:] >= 0xB0) & (raw[1:] <= 0xB9)
    spelled[2:] |= (raw[:-2] == 0xE0) & (raw[1:-1] == 0xA5) & (raw[2:] >= 0xA6) & (raw[2:] <= 0xAF)
    dots = np.zeros(len(raw), np.bool_)
    dots[1:-1] = (raw[1:-1] == ord(".")) & digits[:-2] & digits[2:]
    for places in (
        np.flatnonzero(raw == ord("@")),
        _clusters(np.flatnonzero(spelled), 7, 50),
        _clusters(np.flatnonzero(dots), 3, 9),
        _clusters(np.flatnonzero(raw == ord(":")), 3, 11),
    ):
        found[np.searchsorted(bounds, places, side="right") - 1] = True
    return found


def _clusters(places: Int64s, count: int, within: int) -> Int64s:
    """Places from which on ``count`` of them lie within so many bytes."""
    if len(places) < count:
        return places[:0]
    return places[: len(places) - count + 1][places[count - 1 :] - places[: len(places) - count + 1] <= within]
