"""What documents were judged by, kept beside their shards: scored once, decided as often as one likes.

The file of scores of a shard has its rows in the same order. What else decides (``lang``, ``lang_score``, ``url``,
``source``) stands in the shard itself.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from pipeline.quality.features import FEATURES

FOLDER: Final = "scores"

SCORES_SCHEMA: Final = pa.schema(
    [
        *(pa.field(name, pa.float32()) for name in FEATURES),
        pa.field("script", pa.dictionary(pa.int32(), pa.string())),
        pa.field("script_share", pa.float32()),
        pa.field("lang_script_agrees", pa.bool_()),
        pa.field("top_words", pa.string()),  # null where stop words were not asked for
    ]
)
"""All null for records that were rejected before they were scored."""


def scores_of(shard: str) -> str:
    """Path of the scores of a shard's rows."""
    return f"{FOLDER}/{shard}"
