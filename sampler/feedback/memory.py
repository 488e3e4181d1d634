"""A policy's memory: one number for each language in two bytes, so that it costs the state little.

Numbers are kept in units of 1/2048, from -16 to 16: losses to half a thousandth of a nat. They are rounded when they
are made, not when they are saved: a run that was saved and one that was not go on alike. 1,000 languages take 2,668
characters.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

import numpy as np
from numpy.typing import NDArray

_UNIT: Final = 1 / 2048
_NOTHING: Final = -(1 << 15)
_MOST: Final = (1 << 15) - 1


def rounded(values: NDArray[np.float64]) -> NDArray[np.int16]:
    """Numbers as they are kept, int16 [K]; what is not finite is nothing, what is out of range comes to its end."""
    finite = np.isfinite(values)
    whole = np.rint(np.where(finite, values, 0.0) / _UNIT)
    return np.where(finite, np.clip(whole, -_MOST, _MOST), _NOTHING).astype(np.int16)


def values(kept: NDArray[np.int16]) -> NDArray[np.float64]:
    """The numbers, float64 [K], not a number where there is none."""
    return np.where(kept == _NOTHING, np.nan, kept.astype(np.float64) * _UNIT)


def dump(kept: NDArray[np.int16]) -> str:
    """As text: base64 of the little-endian numbers."""
    return base64.b64encode(kept.astype("<i2").tobytes()).decode("ascii")


def size(languages: int) -> int:
    """Characters of :func:`dump`."""
    return 4 * -(-2 * languages // 3)


def read(text: str, languages: int) -> NDArray[np.int16]:
    """From text; languages that came later remember nothing.

    Raises:
        ValueError: it is not what :func:`dump` wrote for so many languages or fewer.
    """
    try:
        kept = np.frombuffer(base64.b64decode(text, validate=True), dtype="<i2").astype(np.int16)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the policy's memory is not base64 of 16-bit numbers") from error
    if len(kept) > languages:
        raise ValueError(f"the policy's memory is of {len(kept)} languages, not {languages}")
    return np.concatenate([kept, np.full(languages - len(kept), _NOTHING, dtype=np.int16)])
