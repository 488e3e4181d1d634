"""Settings of language identification."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from corpus.config import Config

DEFAULT_MODEL = "evenglot"
Mixed = Literal["mark", "split", "reject", "keep"]


class SegmentConfig(Config):
    """When a doubtful document is in several languages."""

    switch_cost: float = Field(default=2.0, ge=0.0)
    """Nats by which the sentences on one side of a change of language must be more likely in their language: a
    higher cost gives fewer segments."""
    languages: int = Field(default=3, ge=2, le=10)
    """Languages considered in one document, those with the most votes."""
    min_letters: int = Field(default=90, ge=1)
    """Letters that a second language must have for the document to count as mixed; characters of Chinese and
    Japanese count for three."""
    min_share: float = Field(default=0.1, ge=0.0, le=0.5)
    """Share of the document's letters that it must have."""
    min_probability: float = Field(default=0.4, ge=0.0, le=1.0)
    """Mean probability of the second language over its sentences."""
    min_separation: float = Field(default=3.0, ge=0.0)
    """Nats by which its sentences must, on average, be more likely in it than in the main language. Languages
    that the model easily takes for each other (Indonesian and Malay) do not reach this by mistakes."""
    max_sentences: int = Field(default=256, ge=16)
    """Sentences read of a document; one with more is read in blocks of several sentences, by the first 300
    characters of each, so that no document costs more than this many."""


class IdentifyConfig(Config):
    """Which model labels the documents, and how much of each document it reads."""

    model: str | tuple[str, ...] = DEFAULT_MODEL
    """``evenglot`` (ships with the package), the path of a fastText file, or a Hugging Face hub id such as
    ``cis-lmu/glotlid``. A list of these votes by agreement: a label stands when every model that knows the
    language gives it, else the document is ``und``."""

    windows: int = Field(default=4, ge=1, le=64)
    """Windows read of a document; longer documents are sampled at this many evenly spaced places, the first at
    the beginning and the last at the end."""

    window_chars: int = Field(default=100, ge=32, le=10_000)
    """Characters of one window; a document of up to twice as many is read as one. ``windows`` times this bounds
    what is read of a document that leaves no doubt."""

    doubt: float = Field(default=0.4, ge=0.0, le=1.0)
    """A document is doubtful where some window gives the document's language a probability below this, or another
    language one above it. It is read again in windows of twice the size; and sentence by sentence, when documents
    in several languages are looked for."""

    candidates: int = Field(default=3, ge=1, le=20)
    """Labels each window may vote for."""

    min_score: float = Field(default=0.1, ge=0.0, le=1.0)
    """Below this score a document is labelled ``und``: no label is better than a guess."""

    min_letters: int = Field(default=3, ge=1)
    """A document with fewer letters in its windows is ``zxx``: it has no language to find."""

    few_letters: int = Field(default=15, ge=0)
    """A document with fewer letters is ``und``: so little text fits several languages. Characters of Chinese,
    Japanese and Korean count for three."""

    declared_margin: float = Field(default=0.2, ge=0.0, le=1.0)
    """A doubtful document gets its declared label where this is the model's second and its probability less than
    this behind that of the first. The label is evidence between languages that are easily taken for each other,
    nothing more. 0 ignores it."""

    romanised: bool = True
    """Look at documents in Latin letters that left a doubt for languages of other scripts: romanised Hindi becomes
    ``hin_Latn`` instead of whatever language looks most like it."""

    min_romanised: float = Field(default=0.5, ge=0.0, le=1.0)
    """Probability that a document is romanised, from any language, for it to be labelled so."""

    mixed: Mixed = "mark"
    """What becomes of documents in several languages. ``mark`` keeps them under the language of most of their
    letters and says in the column ``segments`` where each language begins and ends; ``split`` makes a record of
    each segment; ``reject`` rejects them (reason ``mixed_languages``); ``keep`` does not look for them, which
    saves about a third of the stage's time."""

    segment: SegmentConfig = SegmentConfig()
    """How documents in several languages are told, and where they change."""

    @field_validator("model")
    @classmethod
    def _some_model(cls, model: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not model or (isinstance(model, tuple) and not all(model)):
            raise ValueError("name a model, or at least one in a list")
        return model
