"""How shards are written."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from corpus.config import Config


class WriteConfig(Config):
    """Size and compression of the shards."""

    shard_bytes: int = Field(default=64 << 20, ge=1 << 10)
    """UTF-8 bytes of text in one shard, about."""
    compression: Literal["none", "lz4", "zstd"] = "none"
    """``none`` lets readers map the file into memory without a copy; ``lz4`` or ``zstd`` suit object stores."""
    scores: bool = True
    """Keep what every document was judged by beside the shards (``scores/``, about 60 bytes a document), for
    `evenglot decide` to tell what other limits would keep and reject."""
