"""What counts as a duplicate."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from corpus.config import Config


class NearDuplicateConfig(Config):
    """Removal of documents that are nearly a copy, or a part, of a kept one."""

    enabled: bool = True
    """Look for near duplicates."""
    jaccard: float = Field(default=0.4, gt=0, le=1)
    """Documents are near duplicates from this similarity on: the share of all their shingles that both have.
    0.4 is where one word in ten, evenly spread, was changed, or where two fifths were replaced in one piece."""
    containment: float = Field(default=0.9, gt=0, le=1)
    """A document is removed as a part of a longer one when this share of its shingles stands there; 1 asks for all."""
    own_text: float = Field(default=0.25, ge=0, le=1)
    """A document is removed only when no more than this share of its words (letters in scripts without spaces) is its
    own, in no run of shared ones with the document that stays. Pages of one template keep what sets them apart; copies
    with scattered changes are below 0.2 wherever they reach ``jaccard``. 1 removes whatever is similar."""
    words: int = Field(default=5, ge=1, le=32)
    """Words in a shingle of a text with spaces."""
    characters: int = Field(default=5, ge=1, le=64)
    """Letters in a shingle of a text in a script without spaces."""
    bands: int | None = Field(default=None, ge=1, le=512)
    """Bands of a signature; with ``rows`` it says which pairs are looked at. Unset, both follow from ``jaccard`` such
    that 95 of 100 pairs just at it are looked at, those more alike nearly all."""
    rows: int | None = Field(default=None, ge=1, le=64)
    """Values in a band."""
    sample: int = Field(default=12, ge=0, le=4096)
    """One run of shingles in this many is kept to find parts of longer texts; 0 finds none but by their bands."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> NearDuplicateConfig:
        if (self.bands is None) != (self.rows is None):
            raise ValueError("give both `bands` and `rows`, or neither")
        return self


class DeduplicateConfig(Config):
    """Removal of records that are there more than once."""

    exact: bool = True
    """Keep one of several documents whose normalised texts are equal (white space apart), and count its copies."""
    repeated_id: Literal["reject", "keep"] = "reject"
    """What to do with a record whose own id was already used in its source by a record with another text:
    ``reject`` it (stage ``deduplicate``, reason ``repeated_id``) or ``keep`` it under a new id."""
    against: tuple[str, ...] = ()
    """Other corpora whose documents are not to come again, as ``PATH`` or ``PATH@SNAPSHOT``. Theirs always stay; a
    new one that is there already is rejected, with the id it has there."""
    index: bool = True
    """Keep what later runs compare new documents with, so that ``append`` and ``against`` need not read all text."""
    near: NearDuplicateConfig = NearDuplicateConfig()
    """Documents that are nearly the same."""
