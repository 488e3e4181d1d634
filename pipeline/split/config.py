"""How much text is held out."""

from __future__ import annotations

from pydantic import Field

from corpus.config import Config


class SplitConfig(Config):
    """Held-out text of each language; never trained on, never a parent of synthetic text."""

    heldout_share: float = Field(default=0.01, ge=0, le=0.5)
    """Share of a language's documents that is held out."""
    heldout_min_documents: int = Field(default=8, ge=0)
    """At least this many documents of each language are held out, but never more than a quarter of it."""
