"""Which evaluation sets the corpus must not hold, and what counts as holding them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from corpus.config import Config
from pipeline.sources.config import InputConfig


class DecontaminateConfig(Config):
    """Removal of documents that hold text of an evaluation set. Off unless files are named."""

    files: tuple[InputConfig, ...] = ()
    """Evaluation sets, in any format and with the settings of ``inputs``; ``fields`` names what holds an item's text,
    language and id. A file whose items have several texts (question, answer) is named once for each."""
    action: Literal["reject", "mark"] = "reject"
    """``reject`` the document (stage ``decontaminate``, reason ``overlap``), or keep it and ``mark`` it: its ``meta``
    then says under ``decontaminate`` which item it holds."""
    words: int = Field(default=13, ge=2, le=64)
    """Length of the n-grams. A document that shares one with an evaluation item is contaminated. In scripts without
    spaces two ideographs or kana, or four letters of an alphabet such as Thai, count as a word."""
    min_words: int = Field(default=8, ge=2, le=64)
    """An item with fewer than ``words`` words is looked for as a whole, down to this many; one that is shorter still
    could stand anywhere by chance: it is not looked for, and listed as too short."""

    @model_validator(mode="after")
    def _ordered(self) -> DecontaminateConfig:
        if self.min_words > self.words:
            raise ValueError(f"min_words ({self.min_words}) is more than words ({self.words})")
        return self
