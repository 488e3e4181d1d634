"""What ``add-language`` can be told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from corpus.config import Config

DEFAULT_REPLAY = 0.3


class AddLanguageConfig(Config):
    """How new languages enter a trained model."""

    languages: tuple[str, ...] = Field(min_length=1)
    """Tags of the new languages."""
    mode: Literal["frozen", "open"] = "frozen"
    """frozen: the old languages stay as they are, to the bit. open: the core moves too."""
    start: Literal["core", "relatives", "nearest"] = "nearest"
    """Where the new adapters start: without an effect; at the mean of chosen languages'; or at that of the languages
    whose adapters fit the new text best."""
    relatives: tuple[str, ...] = ()
    """``relatives`` only: the old languages to start from."""
    nearest: int = Field(default=1, ge=1)
    """``nearest`` only: how many languages to take at most."""
    replay: float | None = Field(default=None, ge=0, lt=1)
    """Share of the rows that are old languages'; none in a frozen run and 0.3 in an open one when not given."""
    blocks: tuple[int, ...] | None = None
    """``open`` only: blocks that move, from 0 at the bottom; null for the whole core."""
    rate: float = Field(default=0.1, gt=0, le=1)
    """``open`` only: learning rate of what the old languages use, as a share of the run's."""
    adapters: bool = False
    """``open`` only: let the old languages' own parameters move too."""
    l2_sp: float = Field(default=0.0, ge=0)
    """``open`` only: strength of the penalty on the distance from the old weights."""
    ewc: float = Field(default=0.0, ge=0)
    """``open`` only: strength of elastic weight consolidation."""
    fisher_rows: int = Field(default=64, ge=1)
    """Rows of the old languages that the Fisher information is estimated on."""
    new_pieces: int = Field(default=0, ge=0)
    """Pieces to append to the vocabulary for the new languages, at most."""

    steps: int | None = Field(default=None, ge=1)
    """Optimiser steps; when not given four passes over the new text, at most as many as the old run had."""

    @model_validator(mode="after")
    def _fits(self) -> AddLanguageConfig:
        if len(set(self.languages)) != len(self.languages):
            raise ValueError("a language is named twice")
        if (self.start == "relatives") != bool(self.relatives):
            raise ValueError("relatives are named exactly when the start is `relatives`")
        opened = [name for name in ("l2_sp", "ewc", "adapters", "blocks") if getattr(self, name)]
        if self.mode == "frozen" and opened:
            raise ValueError(f"`{opened[0]}` is for what moves; set mode to `open`")
        return self

    def replayed(self) -> float:
        """Share of the rows that are old languages'."""
        if self.replay is not None:
            return self.replay
        return DEFAULT_REPLAY if self.mode == "open" else 0.0
