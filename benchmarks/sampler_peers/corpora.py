"""Made-up corpora as flat files of int32 tokens; needs NumPy alone.

A corpus is a folder with ``tokens.npy`` (int32, the documents one after the other), ``bounds.npy`` (int64, start of
each document and the end of the last) and ``first.npy`` (int64, number of each language's first document, and the
end). Each library gets the same documents in the form it reads, made from these files.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

VOCABULARY = 1 << 18
SPECIAL = {"pad": 0, "unk": 1, "bos": 2, "eos": 3, "mask": 4}
ALPHA = 0.3
"""Every library samples language l with a probability proportional to documents(l) ** ALPHA."""

EIGHT = (100_000, 50_000, 25_000, 12_000, 7_000, 4_000, 1_500, 500)
"""Documents of each of 8 languages."""


def zipf(languages: int, largest: int, smallest: int) -> list[int]:
    """Documents of each language by Zipf's law, none under ``smallest``."""
    return [max(smallest, largest // rank) for rank in range(1, languages + 1)]


def lognormal(documents: int, random: np.random.Generator, mean: float = 300.0) -> NDArray[np.int64]:
    """Lengths of documents: lognormal with sigma 0.6, cut to 16 .. 2,048 tokens."""
    return np.clip(random.lognormal(np.log(mean) - 0.18, 0.6, documents), 16, 2048).astype(np.int64)


def write(folder: Path, sizes: list[int], length: int | None = None, mean: float = 300.0) -> None:
    """Write a corpus of random tokens, unless it is there whole.

    Args:
        folder: made if it is not there.
        sizes: documents of each language.
        length: tokens of every document; None draws lognormal lengths.
        mean: of drawn lengths.
    """
    if (folder / "first.npy").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    documents = int(first[-1])
    lengths = lognormal(documents, random, mean) if length is None else np.full(documents, length, np.int64)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    np.save(folder / "bounds.npy", bounds)
    tokens = np.lib.format.open_memmap(folder / "tokens.npy", "w+", np.int32, (int(bounds[-1]),))
    for start in range(0, len(tokens), 1 << 24):
        part = tokens[start : start + (1 << 24)]
        part[:] = random.integers(5, VOCABULARY, len(part), dtype=np.int32)
    tokens.flush()
    np.save(folder / "first.npy", first)  # last: where it is, all is


class Flat:
    """A corpus mapped into memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tokens: NDArray[np.int32] = np.load(folder / "tokens.npy", mmap_mode="r")
        self.bounds: NDArray[np.int64] = np.load(folder / "bounds.npy", mmap_mode="r")
        self.first: NDArray[np.int64] = np.load(folder / "first.npy")
        self.sizes: NDArray[np.int64] = np.diff(self.first)

    def language(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Tokens of one language as a plain array over the mapped file, and the bounds of its documents in them."""
        bounds = np.array(self.bounds[self.first[number] : self.first[number + 1] + 1])
        # A plain array: slices of np.memmap cost several times as much, which would be held against the library.
        return np.asarray(self.tokens[bounds[0] : bounds[-1]]).view(np.ndarray), bounds - bounds[0]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Probability of each language."""
        weights = self.sizes.astype(np.float64) ** ALPHA
        return np.asarray(weights / weights.sum())


class Source:
    """Documents of one language by their number, for libraries of random access; travels to workers as a path."""

    def __init__(self, folder: Path, number: int, size: int) -> None:
        self.folder, self.number, self.size = folder, number, size
        self._open: tuple[NDArray[np.int32], list[int]] | None = None

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> NDArray[np.int32]:
        if self._open is None:
            tokens, bounds = opened(self.folder).language(self.number)
            self._open = tokens, bounds.tolist()
        tokens, starts = self._open
        return tokens[starts[index] : starts[index + 1]]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_open": None}


@cache
def opened(folder: Path) -> Flat:
    """A corpus, mapped once in a process."""
    return Flat(folder)


def tag(number: int) -> str:
    """A made-up tag for a language."""
    return "".join(chr(97 + number // 26**place % 26) for place in (2, 1, 0)) + "_Latn"
