"""Settings of the script stage."""

from __future__ import annotations

from pydantic import Field

from corpus.config import Config


class ScriptConfig(Config):
    """How much of a text must be in the script that its language tag names."""

    enabled: bool = True
    """Count scripts. Without the counts no document can be rejected for a script that contradicts its language."""
    min_share: float = Field(default=0.5, ge=0, le=1)
    """Smallest share of the letters that must be in the scripts of the language, where that is Latin."""
    min_share_other: float = Field(default=0.3, ge=0, le=1)
    """The same for all other scripts: text in them often quotes names, code and English terms in Latin letters."""
    evidence: float = Field(default=0.05, ge=0, le=1)
    """For a tag whose scripts include one that it shares with another language (Han in Japanese and Korean),
    the smallest share of the letters in the scripts that are its own (kana, hangul)."""
