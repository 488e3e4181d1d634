"""Hashed n-grams of characters, and words, of many texts at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

_FACTOR: Final = 0x9E3779B1
_INVERSE: Final = pow(_FACTOR, -1, 1 << 32)
_SPREAD: Final = np.uint32(0x85EBCA6B)
_MIX: Final = np.uint32(0xC2B2AE35)
_WORD: Final = np.uint32(0x51ED270B)
"""Keeps a word apart from the n-gram of the same characters."""
_HALF: Final = np.uint32(15)
_SPACE: Final = 32
_LINE: Final = 10


@dataclass(frozen=True)
class Ngrams:
    """Which n-grams occur in m texts, each once for a text that has it, sorted by text."""

    owners: npt.NDArray[np.int64]
    """[n] which text, ascending."""
    features: npt.NDArray[np.int64]
    """[n] in 0 to 2**bits."""


def hashed_ngrams(lines: Sequence[str], longest: int, bits: int) -> Ngrams:
    """The n-grams of 1 to ``longest`` characters, white space at both ends of a text included, and the words.

    The hash of c0 c1 ... is the polynomial of its code points (Karp and Rabin, 1987) modulo 2**32, multiplied up and
    cut to its upper bits; it is computed for all places of all texts together.

    Args:
        lines: m cleaned texts without line breaks.
        longest: characters of the longest n-gram.
        bits: of a feature, at most 31.
    """
    if not lines:
        return Ngrams(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    text = "\n".join([f" {' '.join(line.split())} " for line in lines]) + "\n"
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    size = len(codes)
    breaks = np.flatnonzero(codes == _LINE)
    owner = np.repeat(np.arange(len(lines), dtype=np.uint64) << np.uint64(bits), np.diff(breaks, prepend=-1))
    # Characters from a place to the end of its line.
    left = np.repeat(breaks, np.diff(breaks, prepend=-1)) - np.arange(size)
    values = codes * _SPREAD
    shift = np.uint32(32 - bits)
    keys = []
    rolling = np.zeros(size, dtype=np.uint32)
    for length in range(1, min(longest, size) + 1):
        rolling = rolling[: size - length + 1] * np.uint32(_FACTOR) + values[length - 1 :]
        whole = left[: size - length + 1] >= length
        keys.append(owner[: size - length + 1][whole] | _cut(rolling[whole], shift))
    starts, ends = _words(codes)
    # A word's hash is a difference of prefix sums, brought back to the word's start.
    prefix = np.concatenate([np.zeros(1, np.uint32), np.cumsum(values * _powers(_FACTOR, size), dtype=np.uint32)])
    words = (prefix[ends] - prefix[starts]) * _powers(_INVERSE, size)[starts] + _WORD
    keys.append(owner[starts] | _cut(words, shift))
    found = np.sort(np.concatenate(keys))
    found = found[np.concatenate([[True], found[1:] != found[:-1]])[: len(found)]]
    return Ngrams((found >> np.uint64(bits)).astype(np.int64), (found & np.uint64((1 << bits) - 1)).astype(np.int64))


def _words(codes: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where words start and end."""
    inside = np.concatenate([[False], (codes != _SPACE) & (codes != _LINE), [False]])
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    return edges[::2], edges[1::2]


def _powers(base: int, count: int) -> npt.NDArray[np.uint32]:
    return np.cumprod(np.full(count, base, dtype=np.uint32), dtype=np.uint32)


def _cut(hashes: npt.NDArray[np.uint32], shift: np.uint32) -> npt.NDArray[np.uint64]:
    mixed = (hashes ^ (hashes >> _HALF)) * _MIX
    return (mixed >> shift).astype(np.uint64)
