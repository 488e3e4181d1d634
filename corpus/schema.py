"""The columns of a record, in text shards, rejected shards and token shards."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

FORMAT_VERSION: Final = 1
"""Version of the corpus on disk; readers refuse a larger one."""

UNDETERMINED: Final = "und"
NO_LANGUAGE: Final = "zxx"

NATURAL: Final = "natural"
ORIGINS: Final = ("natural", "back_translation", "paraphrase", "insertion")
"""Where a text comes from; everything but ``natural`` is synthetic."""

TRAIN: Final = "train"
HELDOUT: Final = "heldout"
SPLITS: Final = (TRAIN, HELDOUT)

_CATEGORY = pa.dictionary(pa.int32(), pa.string())

SEGMENTS: Final = pa.list_(
    pa.struct([pa.field("lang", pa.string()), pa.field("start", pa.int32()), pa.field("end", pa.int32())])
)
"""Languages of a text in order, each with the characters it spans."""

SCRIPT_SHARES: Final = pa.list_(pa.struct([pa.field("script", pa.string()), pa.field("share", pa.float32())]))
"""ISO 15924 codes with their share of a text's letters, the largest first."""

RECORD_SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),  # 128-bit hex, of source and key
        pa.field("key", pa.string()),  # the record's own id in its source, as given
        pa.field("text", pa.string(), nullable=False),
        pa.field("lang", _CATEGORY, nullable=False),
        pa.field("lang_score", pa.float32()),  # probability of `lang`, 0 to 1
        pa.field("declared_lang", _CATEGORY),  # as the source said, unchanged
        pa.field("segments", SEGMENTS),  # of a text in several languages: which from where to where; else null
        pa.field("code_switching", pa.float32()),  # share of the letters in other languages than `lang`, 0 to 1
        pa.field("scripts", SCRIPT_SHARES),  # from 1 % of the letters on
        pa.field("source", _CATEGORY, nullable=False),
        pa.field("url", pa.string()),
        pa.field("origin", _CATEGORY, nullable=False),
        pa.field("parent", pa.string()),  # id of the document that this one was made from, or split off
        pa.field("generator", _CATEGORY),  # name@revision of what made a synthetic one, " > " between steps
        pa.field("provenance", pa.string()),  # how a synthetic one was made and judged, as a JSON object
        pa.field("copies", pa.int32(), nullable=False),  # documents this one stands for, itself included
        pa.field("cluster", pa.string()),  # 128-bit hex, shared by documents that are nearly the same
        pa.field("quality", pa.float32()),  # 0 to 1, higher is better
        pa.field("difficulty", pa.float32()),  # null here: it needs the whole language, so token shards have it
        pa.field("split", _CATEGORY, nullable=False),
        pa.field("weight", pa.float32(), nullable=False),  # sampling weight relative to proportional
        pa.field("meta", pa.string()),  # unknown input fields, as a JSON object
    ]
)

REJECTED_SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("key", pa.string()),
        pa.field("text", pa.string()),
        pa.field("lang", _CATEGORY),
        pa.field("lang_score", pa.float32()),
        pa.field("declared_lang", _CATEGORY),
        pa.field("source", _CATEGORY),
        pa.field("url", pa.string()),
        pa.field("parent", pa.string()),  # id of the document that this one was made from, or split off
        pa.field("provenance", pa.string()),  # how a synthetic one was made and judged, as a JSON object
        pa.field("meta", pa.string()),
        pa.field("file", _CATEGORY, nullable=False),
        pa.field("offset", pa.int64(), nullable=False),  # byte offset in the decompressed file, or row number
        pa.field("stage", _CATEGORY, nullable=False),
        pa.field("reason", _CATEGORY, nullable=False),
        pa.field("detail", pa.string()),  # the numbers that decided
        pa.field("duplicate_of", pa.string()),  # id of the kept document
        pa.field("cluster", pa.string()),  # of a duplicate, that of the kept document
    ]
)

LATER_COLUMNS: Final = ("provenance",)
"""Columns that shards of older versions lack; they stand for nulls."""

RUN_DOCUMENTS: Final = 1024
"""Documents in a run: neighbours of one record batch of a token shard, which are read and counted together.

A token shard that ``tokenize`` writes has one run in a record batch, and only its last run may be shorter.
"""


TOKEN_ATTRIBUTES: Final = pa.schema(
    [
        pa.field("copies", pa.int32(), nullable=False),  # documents this one stands for, as in the text shard
        pa.field("synthetic", pa.bool_(), nullable=False),  # its origin is not natural
        pa.field("difficulty", pa.float32()),
        pa.field("diversity", pa.float32()),
    ]
)
"""What the sampler may choose and order documents by; shards of older versions lack these columns.

The scores are null where a document has none (held-out text), never NaN.
"""


def token_schema(vocabulary: int, *, attributes: bool = False) -> pa.Schema:
    """Columns of a token shard, in the order of its text shard's rows.

    Args:
        vocabulary: number of pieces; up to 65,536 the ids take two bytes, above that four.
        attributes: with ``TOKEN_ATTRIBUTES``, as ``tokenize`` writes; without, the columns that every shard has.
    """
    token = pa.uint16() if vocabulary <= 1 << 16 else pa.uint32()
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("tokens", pa.list_(pa.field("item", token, nullable=False)), nullable=False),
            pa.field("bytes", pa.int32(), nullable=False),  # UTF-8 bytes of the text, for bits per byte
            *(TOKEN_ATTRIBUTES if attributes else ()),
        ]
    )
