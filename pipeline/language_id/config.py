"""Settings of language identification."""

from __future__ import annotations

from pydantic import Field, field_validator

from corpus.config import Config

DEFAULT_MODEL = "evenglot"


class IdentifyConfig(Config):
    """Which model labels the documents, and how much of each document it reads."""

    model: str | tuple[str, ...] = DEFAULT_MODEL
    """``evenglot`` (ships with the package), the path of a fastText file, or a Hugging Face hub id such as
    ``cis-lmu/glotlid``. A list of these votes by agreement: a label stands when every model that knows the
    language gives it, else the document is ``und``."""

    windows: int = Field(default=4, ge=1, le=64)
    """Windows read of a document; longer documents are sampled at this many evenly spaced places."""

    window_chars: int = Field(default=200, ge=32, le=10_000)
    """Characters of one window. ``windows`` times this bounds the cost of a document."""

    candidates: int = Field(default=3, ge=1, le=20)
    """Labels each window may vote for."""

    min_score: float = Field(default=0.1, ge=0.0, le=1.0)
    """Below this score a document is labelled ``und``: no label is better than a guess."""

    min_letters: int = Field(default=3, ge=1)
    """A document with fewer letters in its windows is ``zxx``: it has no language to find."""

    declared_prior: float = Field(default=0.0, ge=0.0, le=10.0)
    """How much the declared label counts, in nats added to its log probability where the model itself gives it
    some probability. 0 ignores it: on crawled text the model is right more often than the label."""

    @field_validator("model")
    @classmethod
    def _some_model(cls, model: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not model or (isinstance(model, tuple) and not all(model)):
            raise ValueError("name a model, or at least one in a list")
        return model
