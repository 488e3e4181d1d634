"""What ``tokenize`` can be told."""

from __future__ import annotations

from typing import Final

from pydantic import Field, model_validator

from corpus.config import Config
from pipeline.curriculum.config import ScoresConfig

_OF_TRAINING: Final = ("vocabulary", "shrink", "sample_bytes", "alpha", "character_coverage")


class TokenizerConfig(Config):
    """A SentencePiece vocabulary and the token shards made with it."""

    name: str = Field(default="spm", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """Folder of the token shards and name in the snapshot. Another vocabulary for the same text needs another name."""
    source: str | None = None
    """Take the tokenizer of a Hugging Face model instead of learning a vocabulary: a `tokenizer.json`, a model's folder
    or a hub id. For training on from that model (`train.model.base`). The settings of the vocabulary are then its
    own."""
    revision: str | None = None
    """Branch, tag or commit of the source on the hub; its default when not given."""
    vocabulary: int = Field(default=32_000, ge=300, le=1_000_000)
    """Pieces, the 256 bytes and the special ones included. Up to 65,536 a token takes two bytes on disk, above
    that four."""
    shrink: bool = True
    """Take the largest vocabulary that the sample supports where it does not support so many pieces; otherwise
    that is an error."""
    sample_bytes: int = Field(default=20_000_000, ge=1_000)
    """Training text the vocabulary is learnt from, over all languages. Training takes about 5 seconds for each
    million bytes."""
    alpha: float = Field(default=0.3, ge=0, le=1)
    """Share of each language in the sample is its bytes to this power: 1 is proportional, 0 is uniform. A
    language with too little text gives all it has, and the others share the rest."""
    character_coverage: float = Field(default=0.9995, gt=0, le=1)
    """Share of the sample's characters that get a piece of their own at least; the others are spelt in bytes."""
    scores: ScoresConfig = ScoresConfig()
    """Difficulty and feature diversity of each training document, for curricula. They do not change the tokens."""

    @model_validator(mode="after")
    def _source_brings_its_vocabulary(self) -> TokenizerConfig:
        if self.source is None:
            if self.revision is not None:
                raise ValueError("`revision` belongs to a `source`, which is not given")
            return self
        for name in _OF_TRAINING:
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"`{name}` is given beside `source`, which brings its vocabulary; remove one of them")
        return self
