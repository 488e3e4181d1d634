"""Which keys the documents of a run have, so that of an index only the rows that may match travel.

A day's documents are few beside those of all the days before. Their keys become bits of a table (a Bloom filter with
one function: keys are hashes already); rows of an index whose keys all fall on empty places are left where they are.
What passes by chance meets nothing later: no result depends on the table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.storage import Storage
from pipeline.deduplicate.shingles import UInt64s
from pipeline.match import fixed_bytes, ids_as_bytes
from pipeline.vectors import mix
from pipeline.work import single_batch

_BITS: Final = range(16, 31)
"""Places of the table, as powers of two: up to 128 MB."""
_SPARSE: Final = 16
"""Places for each key, where they fit."""
_KEYS: Final = 64
"""Keys of a document, about."""

Places = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class NewKeys:
    """The table of a run, in files by range of places; small and picklable."""

    work: str
    folder: str
    """In the work folder."""
    bits: int
    parts: int
    """Files, a power of two."""

    def file(self, part: int) -> str:
        """The file of one range."""
        return f"{self.folder}/{part:04d}.bin"

    def places(self, keys: UInt64s) -> Places:
        """The place of each key."""
        return (mix(keys.astype(np.uint64)) >> np.uint64(64 - self.bits)).astype(np.uint32)

    def part_of(self, places: Places) -> npt.NDArray[np.int64]:
        """The file of each place."""
        return (places >> np.uint32(self.bits - int(math.log2(self.parts)))).astype(np.int64)

    def has(self, keys: UInt64s) -> npt.NDArray[np.bool_]:
        """Whether some new document may have each key."""
        places = self.places(keys)
        bits = load_table(self)[places >> np.uint32(3)] >> (places & np.uint32(7)).astype(np.uint8)
        found: npt.NDArray[np.bool_] = bits & 1 == 1
        return found


def new_keys(work: str, folder: str, documents: int) -> NewKeys:
    """A table large enough for the keys of some documents."""
    wanted = math.ceil(math.log2(max(1, _SPARSE * _KEYS * documents)))
    bits = min(max(wanted, _BITS.start), _BITS.stop - 1)
    return NewKeys(work, folder, bits, 1 << max(0, bits - 24))


def piece_places(table: pa.Table, keys: NewKeys) -> Places:
    """The different places of all keys of a staged piece, ascending.

    Args:
        table: columns ``id`` and ``text_key``, and ``bands`` and ``sampled`` where there are.
        keys: the table they are for.
    """
    batch = single_batch(table)
    found = [first_half(ids_as_bytes(batch.column("id"))), first_half(fixed_bytes(batch.column("text_key")))]
    if "bands" in batch.schema.names and batch.num_rows:
        bands = batch.column("bands")
        width = bands.type.byte_width // 8
        packed = np.frombuffer(bands.buffers()[1], "<u8").reshape(-1, width)
        found += [packed[bands.offset : bands.offset + len(bands)].ravel()]
        found += [batch.column("sampled").flatten().to_numpy(zero_copy_only=False)]
    return np.unique(keys.places(np.concatenate(found)))


def first_half(keys: npt.NDArray[np.bytes_]) -> UInt64s:
    """The first eight of the sixteen bytes of each key, as a number."""
    return np.ascontiguousarray(keys).view("<u8").reshape(-1, 2)[:, 0].astype(np.uint64)


def write_range(storage: Storage, keys: NewKeys, part: int, places: Places) -> None:
    """Keep the bits of one range."""
    size = (1 << keys.bits) // keys.parts
    bits = np.zeros(size, np.bool_)
    bits[places - np.uint32(part * size)] = True
    storage.write_bytes(keys.file(part), np.packbits(bits, bitorder="little").tobytes())


@lru_cache(maxsize=1)
def load_table(keys: NewKeys) -> npt.NDArray[np.uint8]:
    """The whole table, once for each process."""
    storage = Storage(keys.work)
    size = (1 << keys.bits) // keys.parts // 8
    parts = [
        np.frombuffer(storage.read_bytes(keys.file(part)), np.uint8)
        if storage.exists(keys.file(part))
        else np.zeros(size, np.uint8)
        for part in range(keys.parts)
    ]
    return np.concatenate(parts)
