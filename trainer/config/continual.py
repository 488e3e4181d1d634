"""What a run that goes on from another one's model may move. Importing this module loads no torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from corpus.config import Config


class ContinualConfig(Config):
    """A run that begins with the grown weights of another run; `evenglot add-language` writes this section."""

    weights: str = Field(default="start.safetensors", min_length=1)
    """File of the weights to begin with, relative to the run's folder."""
    hash: str = Field(pattern=r"^[0-9a-f]{32}$")
    """Hash of that file; one that has changed is refused."""
    old: tuple[str, ...] = Field(min_length=1)
    """Language tags that the other run knew."""
    old_vocabulary: int = Field(ge=1)
    """Token rows of the other run; the rows after them are new."""
    mode: Literal["frozen", "open"] = "frozen"
    """frozen: only what belongs to the new languages moves. open: the core moves as well."""
    blocks: tuple[int, ...] | None = None
    """``open`` only: blocks of the core that move, counted from 0 at the bottom; null for all of the core, the norms
    outside the blocks and the old token rows among it."""
    rate: float = Field(default=0.1, gt=0, le=1)
    """``open`` only: learning rate of what the old languages use, as a share of the run's."""
    adapters: bool = False
    """``open`` only: let the old languages' adapters, gates and gains move too, at that rate."""

    @model_validator(mode="after")
    def _once(self) -> ContinualConfig:
        if len(set(self.old)) != len(self.old):
            raise ValueError("`old` names a language twice")
        return self
