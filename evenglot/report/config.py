"""Settings of the report."""

from __future__ import annotations

from pydantic import Field

from corpus.config import Config


class ReportConfig(Config):
    """What the report shows and how much of it."""

    title: str = "evenglot report"
    """Heading of the page."""
    samples_kept: int = Field(default=3, ge=0)
    """Kept documents quoted for each language."""
    samples_rejected: int = Field(default=2, ge=0)
    """Rejected documents quoted for each language and reason."""
    samples_synthetic: int = Field(default=12, ge=0)
    """Synthetic documents, and as many rejected candidates, quoted beside what they were made from."""
    samples_total: int = Field(default=700, ge=0)
    """Documents quoted in all; with many languages each one's share shrinks, to one kept document at least."""
    sample_characters: int = Field(default=320, ge=20)
    """Characters quoted of a document."""
    clusters: int = Field(default=10, ge=0)
    """Most copied documents that are listed."""
    matrix_size: int = Field(default=14, ge=2)
    """Languages in the matrix of declared against identified language."""
    unreadable: int = Field(default=50, ge=0)
    """Unreadable records that are listed."""
    sites: int = Field(default=15, ge=0)
    """Sites listed of those from which boilerplate was removed."""
    site_lines: int = Field(default=3, ge=1)
    """Removed lines shown of each of them."""
    curve_points: int = Field(default=80, ge=2)
    """Points drawn of a training curve; longer ones are thinned evenly."""
    seed: int = 0
    """Chooses which documents are quoted; the same seed quotes the same ones."""
