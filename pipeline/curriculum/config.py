"""How documents are scored for curricula."""

from __future__ import annotations

from pydantic import Field

from corpus.config import Config


class ScoresConfig(Config):
    """Difficulty and feature diversity of each training document."""

    enabled: bool = True
    """Score training documents while they are tokenised. Without scores the sampler can still order documents at
    random, but not by difficulty or diversity."""
    sample_bytes: int = Field(default=4_000_000, ge=10_000)
    """Text of each language that its statistics rest on, chosen by hash; all of a language that has less. Takes
    about a second of one core for a language of this size, and memory of about five times the sample. Token shards
    added to a tokenizer later keep the statistics it began with."""
