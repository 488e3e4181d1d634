"""What counts as a duplicate."""

from __future__ import annotations

from typing import Literal

from corpus.config import Config


class DeduplicateConfig(Config):
    """Removal of records that are there more than once."""

    exact: bool = True
    """Keep one of several documents whose normalised texts are equal (white space apart), and count its copies."""
    repeated_id: Literal["reject", "keep"] = "reject"
    """What to do with a record whose own id was already used in its source by a record with another text:
    ``reject`` it (stage ``deduplicate``, reason ``repeated_id``) or ``keep`` it under a new id."""
