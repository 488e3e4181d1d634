"""What the sampler can be told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from corpus.config import Config
from sampler.feedback.config import FeedbackConfig

MixtureName = Literal["unimax", "temperature", "proportional", "uniform"]


class CacheConfig(Config):
    """Local copies of what is read from an object store; a corpus on local disk needs none."""

    folder: str | None = None
    """Folder that the processes of a machine share; null takes a temporary one for each process."""
    bytes: int = Field(default=8 << 30, ge=1 << 20)
    """Bound on its size. The rows in use lie in eight record batches of each language, about a megabyte each: with
    less room than that for all languages, record batches are fetched again and again."""


class SamplerConfig(Config):
    """Corpus to rows of tokens."""

    row_tokens: int = Field(default=1024, ge=2, le=1 << 20)
    """Tokens in one row, the model's context."""
    mixture: MixtureName | dict[str, float] = "unimax"
    """How often each language is sampled: a named mixture, or a share for each language tag (they are made to
    sum to 1; languages not named are left out)."""
    alpha: float = Field(default=0.3, ge=0, le=1)
    """Exponent of the temperature mixture: 1 is proportional, 0 is uniform."""
    epochs: float = Field(default=4.0, gt=0)
    """Largest number of passes over a language under UniMax."""
    budget_tokens: int | None = Field(default=None, ge=1)
    """Tokens of the whole training run, for the caps on repeats; the trainer sets it, else it is one pass over
    the corpus."""
    max_repeats: float | None = Field(default=None, gt=0)
    """Largest number of passes over a language within the budget, under any mixture; null for no cap."""
    floor: float = Field(default=0.0, ge=0, lt=1)
    """Smallest share of each language before caps."""
    languages: tuple[str, ...] | None = None
    """Language tags to sample; null takes all that have training text."""
    cache: CacheConfig = Field(default_factory=CacheConfig)
    """Of what is read from an object store; it changes no row."""
    block_rows: int = Field(default=256, ge=1, le=1 << 16)
    """Rows in a block. At the end of every block each language is within one row of its share, and the mixture
    can change there."""
    feedback: FeedbackConfig = FeedbackConfig()
    """How the mixture follows the losses while a run goes on."""
