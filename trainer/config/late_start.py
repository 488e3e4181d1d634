"""Where languages begin that join a run after its beginning."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from corpus.config import Config


class LateStartConfig(Config):
    """What a language's own parameters are when its first rows come after the run's beginning."""

    start: Literal["core", "relatives", "nearest"] = "core"
    """core: the untrained adapter, which leaves the core as it is. relatives: the mean of the adapters, gates and gains
    of chosen languages as they are at that step. nearest: the same from the languages whose adapters fit the new text
    best, if any fits better than the core."""
    relatives: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """``relatives`` only: for the tag of a late language, those that it starts from; languages that are not named start
    from the core, and relatives that have had no rows yet do not count."""
    nearest: int = Field(default=1, ge=1)
    """``nearest`` only: languages that are taken at most."""
    rows: int = Field(default=16, ge=1)
    """``nearest`` only: rows of the language's training text that are scored under every adapter."""

    @model_validator(mode="after")
    def _relatives_where_asked_for(self) -> LateStartConfig:
        if self.start == "relatives" and not self.relatives:
            raise ValueError("`start` is 'relatives', and `relatives` names none: {tag: [tags]}")
        if self.start != "relatives" and self.relatives:
            raise ValueError(f"`relatives` is given, but `start` is '{self.start}'; set it to 'relatives'")
        for lang, others in self.relatives.items():
            if not others or lang in others or len(set(others)) != len(others):
                raise ValueError(f"`relatives.{lang}` has to name other languages, each once")
        return self
