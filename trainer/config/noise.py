"""What is left out at random."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from corpus.config import Config


class DropoutConfig(Config):
    """Dropout of what attention and feed-forward layers add, at a rate of each language's own."""

    rate: float = Field(default=0.0, ge=0, lt=1)
    """Rate for all languages from the first step on."""
    growth: float = Field(default=0.0, ge=0)
    """Added to a language's rate for each pass over its text beyond ``after``."""
    after: float = Field(default=2.0, ge=0)
    """Passes over a language's text after which its rate grows."""
    largest: float = Field(default=0.3, ge=0, lt=1)
    """Largest rate."""


class LayerDropConfig(Config):
    """Stochastic depth: blocks that are left out for some of the rows."""

    rate: float = Field(default=0.0, ge=0, lt=1)
    """Share of the rows for which the last block is left out, at the first step."""
    profile: Literal["linear", "uniform"] = "linear"
    """linear: the share grows from the first block to the last. uniform: the same for all blocks."""
    final: float = Field(default=0.0, ge=0, le=1)
    """Share of the rate that is left at the last step, reached linearly."""
