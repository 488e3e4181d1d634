"""Penalties and factors that are added to the loss, and their strength over the run."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from corpus.config import Config
from corpus.errors import ConfigurationError


class StrengthScheduleConfig(Config):
    """A regulariser's strength over the run, as a share of its full value."""

    kind: Literal["constant", "linear", "cosine"] = "constant"
    """constant: full strength after the warmup. linear or cosine: moves from full to ``final`` after the warmup."""
    warmup: float = Field(default=0.0, ge=0, le=1)
    """Share of the steps over which the strength rises linearly from zero."""
    final: float = Field(default=0.0, ge=0)
    """``linear`` and ``cosine`` only: share of the full strength at the last step; above 1 it grows."""
    start: float = Field(default=0.0, ge=0, lt=1)
    """Share of the steps before which the strength is 0; warmup and decay are shares of what lies between start and
    end."""
    end: float = Field(default=1.0, gt=0, le=1)
    """Share of the steps from which on the strength is 0."""

    @model_validator(mode="after")
    def _start_before_end(self) -> StrengthScheduleConfig:
        if self.start >= self.end:
            raise ValueError(f"start {self.start} is not before end {self.end}")
        return self


class EvidenceStrengthConfig(Config):
    """A factor of each language's own in a penalty that is a sum over languages."""

    by: Literal["tokens", "repeats"] = "tokens"
    """tokens: (reference / training tokens of the language)^power, stronger for languages with little text. repeats:
    (passes over its text so far / reference)^power, stronger for what is read again and again."""
    power: float = Field(default=0.5, ge=0, le=4)
    """How fast it grows; 0 for all languages alike."""
    reference: float | None = Field(default=None, gt=0)
    """Where the factor is 1; the median language's training tokens, or one pass, when not given."""
    smallest: float = Field(default=0.0, ge=0)
    """Smallest factor."""
    largest: float = Field(default=10.0, gt=0)
    """Largest factor."""

    @model_validator(mode="after")
    def _ordered(self) -> EvidenceStrengthConfig:
        if self.smallest > self.largest:
            raise ValueError(f"smallest {self.smallest} is above largest {self.largest}")
        return self


class RegulariserConfig(Config):
    """One penalty added to the loss."""

    name: str
    """Name in the registry of regularisers, for example ``deviation``."""
    strength: float = Field(default=1.0, ge=0)
    """Factor of the penalty at full strength; 0 computes and logs it without adding it."""
    schedule: StrengthScheduleConfig = StrengthScheduleConfig()
    """How the strength moves over the run."""
    by_evidence: EvidenceStrengthConfig | None = None
    """A factor of each language's own, for penalties that are a sum over languages; null for 1."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Settings of this regulariser; its method card lists them."""

    @model_validator(mode="after")
    def _known(self) -> RegulariserConfig:
        from trainer import regularisers

        try:
            regularisers.check(self.name, self.options)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        if self.by_evidence is not None and not regularisers.by_language(self.name):
            known = [name for name in regularisers.names() if regularisers.by_language(name)]
            raise ValueError(
                f"`by_evidence` is set for '{self.name}', which is no sum over languages. Remove it; those that are: "
                + ", ".join(known)
            )
        return self


class LanguageLossConfig(Config):
    """How much each language's tokens count in the loss."""

    name: str
    """Name in the registry of language-aware losses: group_dro, chi_square, cvar, focal or tempered."""
    strength: float = Field(default=1.0, ge=0, le=1)
    """How far the factors go from 1 to the method's."""
    schedule: StrengthScheduleConfig = StrengthScheduleConfig()
    """How the strength moves over the run."""
    floor: float = Field(default=0.2, ge=0, le=1)
    """Smallest factor of a language's tokens."""
    cap: float = Field(default=5.0, ge=1)
    """Largest factor of a language's tokens."""
    smoothing: float = Field(default=0.98, ge=0, lt=1)
    """Decay, at each step, of the sums that losses and shares are taken from."""
    baseline: str = "unigram"
    """What is taken off each language's loss before languages are compared: none, unigram (the entropy of its tokens
    one by one), or a JSON file that maps tags to nats per token."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Settings of this method; its method card lists them."""

    @model_validator(mode="after")
    def _known(self) -> LanguageLossConfig:
        from trainer.weighting import check

        try:
            check(self.name, self.options)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        return self
