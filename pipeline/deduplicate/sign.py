"""The last stage before the shuffle: what of a text is compared, so that the text itself need not travel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from corpus.hashing import KEY_BYTES, text_key
from pipeline.deduplicate.bands import band_keys, bands_and_rows
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.minhash import sign
from pipeline.deduplicate.sample import sample
from pipeline.deduplicate.shingles import Lengths, shingle_chunks
from pipeline.stage import Outcome, with_column


@dataclass(frozen=True)
class SignStage:
    """Adds ``text_key`` (16 bytes) and ``n_bytes`` (UTF-8 bytes of the text, int64), and for near duplicates ``bands``
    (a uint64 for each band, packed; null for a text without letters and numbers) and ``sampled`` (list of uint64)."""

    near: NearDuplicateConfig
    name: ClassVar[str] = "sign"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Sign every row; none is rejected."""
        texts = batch.column("text")
        keys = pa.array([text_key(text) for text in texts.to_pylist()], pa.binary(KEY_BYTES))
        sizes = pa.compute.binary_length(texts).cast(pa.int64())
        batch = with_column(with_column(batch, "text_key", keys), "n_bytes", sizes)
        if self.near.enabled:
            bands, sampled = near_columns(texts, self.near)
            batch = with_column(with_column(batch, "bands", bands), "sampled", sampled)
        return Outcome(batch)


def lengths_of(config: NearDuplicateConfig) -> Lengths:
    """How long shingles are by the configuration."""
    return Lengths(config.words, config.characters)


def near_columns(texts: pa.Array, config: NearDuplicateConfig) -> tuple[pa.Array, pa.Array]:
    """The keys by which n texts may meet.

    Args:
        texts: string or large_string of n rows.
        config: settings.

    Returns:
        ``bands``, binary of 8 bytes a band, and ``sampled``, lists of uint64.
    """
    bands, rows = bands_and_rows(config)
    packed = np.zeros((len(texts), bands), "<u8")
    empty = np.zeros(len(texts), np.bool_)
    parts, counts = [], np.zeros(len(texts), np.int64)
    for first, part in shingle_chunks(texts, lengths_of(config)):
        last = first + part.documents
        packed[first:last] = band_keys(sign(part, bands * rows), bands, rows)
        empty[first:last] = part.sizes == 0
        keys, bounds = sample(part, config.words, config.sample)
        parts.append(keys)
        counts[first:last] = np.diff(bounds)
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    values = pa.array(np.concatenate(parts) if parts else np.zeros(0, np.uint64), pa.uint64())
    valid = pa.py_buffer(np.packbits(~empty, bitorder="little"))
    column = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(8 * bands), len(texts), [valid, pa.py_buffer(packed.tobytes())]
    )
    return column, pa.ListArray.from_arrays(offsets, values)
