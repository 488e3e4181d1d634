"""A small part of the inputs that stands for the whole: ranges chosen by hash, evenly over the bytes of every input."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from corpus.hashing import stable_hash
from pipeline.sources import InputConfig, Split, read
from pipeline.sources.compression import DecompressedStream
from pipeline.sources.files import open_raw

UNIT_BYTES: Final = 256 << 10
"""Text in one range of the sample, about: enough for a site's pages to meet, small enough to spread over files."""
_UNPACK_SECONDS: Final = 0.2
"""Time to look further into a compressed file than the sample reaches."""


@dataclass(frozen=True)
class Unit:
    """One range of the sample."""

    split: Split
    batches: int | None
    """Batches to read of it; None reads to its end."""
    bytes: int
    """Bytes of the input, as they lie on disk, that it covers."""
    text_bytes: int
    """Size of its records in memory."""


def choose(splits: Sequence[Split], text_bytes: int, seed: int) -> dict[Split, int]:
    """Ranges to read and the text to read at most of each.

    Every input gets its share of the sample by size, and one range at least. The ranges of an input lie at equal
    steps over its splits in the order of their hashes, so that large files have more of them (systematic sampling
    with probability proportional to size). Of files that cannot be entered in the middle, compressed ones for
    example, the beginning stands for the whole.

    Args:
        splits: all of the run.
        text_bytes: of the whole sample, about.
        seed: another one chooses other ranges.
    """
    total = sum(split.bytes for split in splits) or 1
    chosen: dict[Split, int] = {}
    for number in sorted({split.input for split in splits}):
        mine = sorted(
            (split for split in splits if split.input == number),
            key=lambda split: stable_hash("sample", split.place, split.start, seed=seed),
        )
        size = sum(split.bytes for split in mine)
        count = max(1, round(text_bytes * size / total / UNIT_BYTES))
        step = max(size / count, 1.0)
        position, before = step / 2, 0
        for split in mine:
            while position < before + max(split.bytes, 1):
                part = narrowed(split, int(position - before))
                chosen[part] = chosen.get(part, 0) + UNIT_BYTES
                position += step
            before += split.bytes
    return chosen


def narrowed(split: Split, offset: int) -> Split:
    """The range of a split around an offset, where its format can be entered anywhere; else the split itself."""
    if split.format not in ("jsonl", "text") or split.compression is not None or (split.end is None and split.start):
        return split
    if split.bytes <= UNIT_BYTES or (split.format == "text" and split.end is None):
        return split
    start = split.start + offset // UNIT_BYTES * UNIT_BYTES
    end = min(start + UNIT_BYTES, split.start + split.bytes)
    return replace(split, start=start, end=end, bytes=end - start)


def measure(chosen: Mapping[Split, int], inputs: Sequence[InputConfig]) -> list[Unit]:
    """Read each range as far as it is to be read, and find how much of the input that is.

    Args:
        chosen: ranges and the text to read of each.
        inputs: of the run.
    """
    units = []
    for split, limit in chosen.items():
        batches = text = records = last = 0
        whole = True
        bounded = split.compression is not None or split.bytes > UNIT_BYTES
        for batch in read(split, sample_input(inputs[split.input])):
            if bounded and text >= limit:
                whole = False
                break
            batches += 1
            records += batch.read
            text += batch.records.nbytes + batch.rejected.nbytes + sum(len(record.raw) for record in batch.unreadable)
            for column in (batch.records.column("offset"), batch.rejected.column("offset")):
                last = max([last, *column.to_pylist()[-1:]])
        size = split.bytes if whole else consumed(split, last, records, text)
        units.append(Unit(split, None if whole else batches, min(size, split.bytes) or 1, text))
    return units


def sample_input(config: InputConfig) -> InputConfig:
    """The input read in batches small enough to stop within one range."""
    return config.model_copy(update={"batch_bytes": min(config.batch_bytes, UNIT_BYTES // 2)})


def consumed(split: Split, offset: int, records: int, text_bytes: int) -> int:
    """Bytes on disk from the beginning of a split to a record.

    Args:
        split: of which only the beginning was read.
        offset: of the last record read, in bytes once decompressed.
        records: read so far.
        text_bytes: their size in memory.
    """
    if split.format == "parquet":
        import pyarrow.parquet as pq

        with open_raw(split.file) as raw:
            metadata = pq.ParquetFile(raw).metadata
            end = metadata.num_row_groups if split.end is None else split.end
            rows = sum(int(metadata.row_group(group).num_rows) for group in range(split.start, end))
        return split.bytes * records // max(rows, 1)
    if split.format in ("arrow", "dataset"):
        return text_bytes
    if split.compression is None:
        return offset - split.start
    return int(offset * packed_share(split, offset))


def packed_share(split: Split, offset: int) -> float:
    """Bytes on disk for each byte once decompressed, over the beginning of a file, or all of it where that is quick.

    What comes first compresses worse than what follows, so more is decompressed than is read. Input is taken in
    blocks; it is compared where a block has been used up and the next one begins.

    Args:
        split: a whole compressed file.
        offset: at least so many decompressed bytes.
    """
    assert split.compression is not None
    deadline = time.monotonic() + _UNPACK_SECONDS
    with open_raw(split.file) as raw:
        stream = DecompressedStream(raw, split.compression)
        out, fed = 0, raw.tell()
        while piece := stream.read(1 << 18):
            if raw.tell() != fed:
                if out >= offset and fed and time.monotonic() > deadline:
                    break
                fed = raw.tell()
            out += len(piece)
        return fed / max(out, 1)
