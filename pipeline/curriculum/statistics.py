"""What is usual in a language: how many documents of a sample have each feature, and how often its words occur.

Tables are indexed by the highest bits of a feature's hash. Features that share a bucket are counted together: the
tables are made large enough for the sample that few do, and one that does counts as somewhat less rare than it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from corpus.errors import CorpusError
from pipeline.curriculum.features import ORDERS, Bools, Int64s, UInt32s, read_features
from pipeline.script.unicode import SCRIPTS, SIZE

Counts = npt.NDArray[np.uint8]

FEWEST_BITS: Final = 14
MOST_BITS: Final = 21
"""Bounds of the bits of the larger tables."""
FUNCTION_WORD_SHARE: Final = 1 / 1000
"""Words that make up so much of the running text are function words."""
FEWEST_OCCURRENCES: Final = 5
"""Of a function word in the sample."""
SCRIPT_SHARE: Final = 0.01
"""Of a document's letters, from which on it has a script."""


@dataclass(frozen=True)
class Means:
    """Typical values of a language's documents, of all characters in words."""

    bits: float = 0.0
    """Bits per character."""
    rare: float = 0.0
    """Weight of rare features, per character."""
    attested: float = 0.0
    """Share of the n-grams that other documents have; see ``diversity.ATTESTED``."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """One language's sample, counted."""

    documents: int
    """In the sample."""
    running_words: int
    types: int
    """Different words, by bucket."""
    ngrams: Counts
    """Documents that have a character n-gram, by the highest bits of its key; the next two likewise."""
    words: Counts
    constructions: Counts
    frequencies: UInt32s
    """Occurrences of each word."""
    pairs: UInt32s
    """Occurrences of each pair of neighbouring words."""
    characters: UInt32s
    """Occurrences in words of each code point up to the largest that occurs; at 0, the number of words."""
    scripts: UInt32s
    """Documents that have each script of ``SCRIPTS``."""
    means: Means = Means()

    @property
    def digest(self) -> str:
        """XXH3-128 of the contents, hexadecimal."""
        state = xxhash.xxh3_128()
        for name, value in sorted(_arrays(self).items()):
            state.update(f"{name} {value.dtype.str} {value.shape}".encode())
            state.update(np.ascontiguousarray(value).tobytes())
        return state.hexdigest()

    def function_words(self, keys: UInt32s) -> Bools:
        """Which of some words are function words."""
        least = max(self.running_words * FUNCTION_WORD_SHARE, FEWEST_OCCURRENCES)
        found: Bools = self.frequencies[bucket(keys, self.frequencies)] >= least
        return found

    def save(self, folder: Path) -> None:
        """Write the arrays into a new folder, each readable by memory map."""
        folder.mkdir(parents=True)
        for name, value in _arrays(self).items():
            np.save(folder / f"{name}.npy", value, allow_pickle=False)

    @staticmethod
    def load(folder: Path) -> Statistics:
        """Read what ``save`` wrote, by memory map."""
        found: dict[str, Any] = {}
        for field in fields(Statistics):
            try:
                array = np.load(folder / f"{field.name}.npy", mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError) as error:
                raise CorpusError(f"cannot read the statistics in {folder}: {error}") from error
            if field.name == "means":
                found["means"] = Means(*map(float, array))
            else:
                found[field.name] = array if array.ndim else int(array)
        return Statistics(**found)


def bucket(keys: UInt32s, table: npt.NDArray[Any]) -> UInt32s:
    """The places of keys in a table whose length is a power of two."""
    found: UInt32s = keys >> np.uint32(33 - len(table).bit_length())
    return found


def collect(
    batches: Sequence[pa.RecordBatch], size: int, measure: Callable[[Statistics, Iterable[pa.RecordBatch]], Means]
) -> Statistics:
    """Count a sample of a language.

    Args:
        batches: the documents, with the columns ``text`` and ``scripts``; they are read three times, because function
            words must be known before constructions are counted, and all counts before the means.
        size: bytes of text in them, which sets the size of the tables.
        measure: gives the means of documents that are in the sample.
    """
    bits = min(max(int(size).bit_length() - 2, FEWEST_BITS), MOST_BITS)
    ngrams, constructions, pairs = (np.zeros(1 << bits, np.uint32) for _ in range(3))
    words, frequencies = (np.zeros(1 << bits - 1, np.uint32) for _ in range(2))
    characters = np.zeros(SIZE, np.uint32)
    scripts = np.zeros(len(SCRIPTS), np.uint32)
    documents = 0
    for batch in batches:
        documents += batch.num_rows
        scripts += script_counts(batch.column("scripts"))
        for found in read_features(batch.column("text")):
            for order in ORDERS:
                keys, starts = found.ngrams(order)
                _add_documents(ngrams, keys, found.owners_of(starts))
            _add_documents(words, found.word_keys, found.words.owners)
            np.add.at(frequencies, bucket(found.word_keys, frequencies), np.uint32(1))
            np.add.at(pairs, bucket(found.pair_keys(), pairs), np.uint32(1))
            np.add.at(characters, found.text.values[found.inside], np.uint32(1))
    running = int(frequencies.sum())
    used = int(characters.nonzero()[0].max(initial=0)) + 1
    characters = characters[:used]
    characters[0] = running
    statistics = Statistics(
        documents=documents,
        running_words=running,
        types=int(np.count_nonzero(frequencies)),
        ngrams=_limited(ngrams),
        words=_limited(words),
        constructions=np.zeros(0, np.uint8),
        frequencies=frequencies,
        pairs=pairs,
        characters=characters,
        scripts=scripts,
    )
    for batch in batches:
        for found in read_features(batch.column("text")):
            keys, starts = found.constructions(statistics.function_words(found.word_keys))
            _add_documents(constructions, keys, found.owners_of(starts))
    statistics = replace(statistics, constructions=_limited(constructions))
    return replace(statistics, means=measure(statistics, batches))


def script_counts(column: pa.Array) -> UInt32s:
    """How many documents have each script.

    Args:
        column: of type ``corpus.schema.SCRIPT_SHARES``.
    """
    counts = np.zeros(len(SCRIPTS), np.uint32)
    codes, shares, _ = flat_scripts(column)
    np.add.at(counts, codes[shares >= SCRIPT_SHARE], 1)
    return counts


def flat_scripts(column: pa.Array) -> tuple[Int64s, npt.NDArray[np.float64], Int64s]:
    """The scripts of n documents end to end: their numbers in ``SCRIPTS``, shares, and the document of each.

    Codes that are none of ``SCRIPTS`` are left out.
    """
    entries = pc.list_flatten(column)
    codes = pc.index_in(pc.struct_field(entries, "script"), value_set=pa.array(SCRIPTS))
    known = pc.is_valid(codes).to_numpy(zero_copy_only=False)
    shares = pc.struct_field(entries, "share").fill_null(0).to_numpy(zero_copy_only=False)
    owners = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
    numbers = codes.fill_null(0).to_numpy(zero_copy_only=False)
    return numbers[known].astype(np.int64), shares[known].astype(np.float64), owners[known].astype(np.int64)


def _add_documents(table: UInt32s, keys: UInt32s, owners: Int64s) -> None:
    """Count each feature once for each document that has it."""
    places = (owners.astype(np.uint64) << np.uint64(32)) | bucket(keys, table)
    places.sort()
    first = np.ones(len(places), np.bool_)
    np.not_equal(places[1:], places[:-1], out=first[1:])
    np.add.at(table, places[first] & np.uint64(0xFFFFFFFF), np.uint32(1))


def _limited(table: UInt32s) -> Counts:
    """Counts in one byte; no feature of so many documents is rare."""
    return np.minimum(table, np.iinfo(np.uint8).max).astype(np.uint8)


def _arrays(statistics: Statistics) -> dict[str, npt.NDArray[Any]]:
    found = {
        field.name: np.asarray(getattr(statistics, field.name)) for field in fields(Statistics) if field.name != "means"
    }
    means = statistics.means
    found["means"] = np.array([means.bits, means.rare, means.attested])
    return found
