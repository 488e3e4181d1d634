"""Recipe section ``parallel``: files of translations, and which of their sentences are used."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from corpus.config import Config
from corpus.tags import UnknownLanguage, to_tag


class ParallelSide(Config):
    """One of the sentences of a record, where each has a field of its own."""

    text: str = Field(min_length=1)
    """Field, or column, that holds the sentence."""
    lang: str | None = None
    """Field that holds its language."""
    language: str | None = None
    """Its language in all records, where no field says it."""

    @field_validator("language")
    @classmethod
    def _known_language(cls, language: str | None) -> str | None:
        if language is not None:
            try:
                to_tag(language)
            except UnknownLanguage as error:
                raise ValueError(str(error)) from error
        return language

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> ParallelSide:
        if (self.lang is None) == (self.language is None):
            raise ValueError("give either `lang`, the field that holds the language, or `language`, the language")
        return self


class ParallelInput(Config):
    """Files of parallel text."""

    path: str = Field(min_length=1)
    """File, folder or glob pattern, local or as a URL; compressed or not."""
    format: Literal["auto", "jsonl", "tsv"] = "auto"
    """``auto`` goes by the file's name."""
    name: str | None = Field(default=None, min_length=1)
    """The source's name in the corpus; by default the file's name without its endings."""
    texts: str = Field(default="text", min_length=1)
    """JSONL without ``sides``: the field that maps languages to sentences, of two or more languages."""
    sides: tuple[ParallelSide, ...] = ()
    """The sentences of a record, where each has a field of its own. Without them, TSV takes every column whose name is
    a language."""
    columns: tuple[str, ...] | None = None
    """Column names of a TSV file without a header line."""
    id: str = Field(default="id", min_length=1)
    """Field with the record's own id; where it is absent, file and line are taken."""
    document: str = Field(default="doc", min_length=1)
    """Field with the document that a record is of: a document is held out whole or not at all. Where it is absent,
    each record is decided alone."""
    split: str = Field(default="split", min_length=1)
    """Field with the published part that a record is of: ``train`` is trained on, any other is held out. Where it is
    absent, the hash of the document decides."""

    @model_validator(mode="after")
    def _two_sides(self) -> ParallelInput:
        if len(self.sides) == 1:
            raise ValueError("one side is given; a translation has two")
        return self


class ParallelConfig(Config):
    """Parallel text beside the corpus, for translation language modelling, the contrastive loss and retrieval."""

    inputs: tuple[ParallelInput, ...] = ()
    """The files."""
    heldout_share: float = Field(default=0.02, ge=0, lt=1)
    """Share of the documents held out, where the files do not say."""
    max_length_ratio: float = Field(default=4.0, gt=1)
    """Sentences of which one is longer than the other by more than this, beyond what is usual for their languages, are
    left out."""
    max_bytes: int = Field(default=4096, ge=16)
    """Longer sentences are left out: they are no sentences."""
    overlap_words: int = Field(default=8, ge=4)
    """Training sentences that share so many words in a row with a held-out document of the corpus are left out."""
