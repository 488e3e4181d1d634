"""The last stage before the shuffle: a 16-byte key for each text, so that the text itself need not travel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from corpus.hashing import KEY_BYTES, text_key
from pipeline.stage import Outcome, with_column


@dataclass(frozen=True)
class SignStage:
    """Adds ``text_key`` (16 bytes) and ``n_bytes`` (UTF-8 bytes of the text, int64)."""

    name: ClassVar[str] = "sign"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Sign every row; none is rejected."""
        texts = batch.column("text")
        keys = pa.array([text_key(text) for text in texts.to_pylist()], pa.binary(KEY_BYTES))
        sizes = pa.compute.binary_length(texts).cast(pa.int64())
        return Outcome(with_column(with_column(batch, "text_key", keys), "n_bytes", sizes))
