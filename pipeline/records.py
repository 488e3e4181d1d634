"""The columns of a record between its source and its shard."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

RAW_SCHEMA: Final = pa.schema(
    [
        pa.field("key", pa.string()),  # the record's own id, where its source gave one
        pa.field("text", pa.string(), nullable=False),
        pa.field("declared_lang", pa.string()),
        pa.field("url", pa.string()),
        pa.field("meta", pa.string()),  # fields nobody asked for, as a JSON object
        pa.field("file", pa.string(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),  # byte offset once decompressed, or row number
    ]
)
