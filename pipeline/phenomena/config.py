"""Which phenomena count as rare, how much less rare they are made, and at what price."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from corpus.config import Config
from corpus.errors import ConfigurationError
from corpus.tags import UnknownLanguage, to_tag
from pipeline.deduplicate.config import NearDuplicateConfig

Kind = Literal["characters", "ngrams", "inflections", "switches"]
KINDS: tuple[Kind, ...] = ("characters", "ngrams", "inflections", "switches")
"""In the order in which accounts name them."""


class PhenomenaConfig(Config):
    """Rare characters, character n-grams, inflections and code-switches, made less rare by natural sentences."""

    enabled: bool = False
    """Make documents that carry rare phenomena."""
    mode: Literal["oversample", "insert"] = "oversample"
    """``oversample`` makes short documents of carrying sentences of several documents, each with its neighbours;
    ``insert`` puts the sentences into passages of other documents, so that they come in a new context, which costs
    about three times the text."""
    characters: bool = True
    """Rare letters and marks of the language's own scripts."""
    ngrams: bool = True
    """Rare character n-grams of words: spellings, prefixes, endings."""
    inflections: bool = True
    """Rare cells of paradigms, such as the third person dual; only for languages that have a lexicon."""
    switches: bool = True
    """Changes from one language to another, by the segments that language identification found."""

    rare_share: float = Field(default=0.0005, gt=0, lt=1)
    """A phenomenon is rare in a language up to this share of its sentences, ..."""
    few_sentences: int = Field(default=10, ge=1)
    """... or in so few, where that is more: in a small language hardly anything is in fewer than one in 2,000."""
    min_documents: int = Field(default=3, ge=2)
    """Documents a phenomenon must occur in: what one document has is as likely noise as it is news."""
    min_sources: int = Field(default=2, ge=1, le=32)
    """Sites (inputs, for text without an address) it must occur in; all of them in a language that has fewer."""
    most: int = Field(default=1000, ge=1)
    """Rare phenomena of each kind that are looked after, the rarest first, and only as many as the made
    sentences can serve: a small budget lifts some phenomena to their targets rather than many by next to nothing."""
    table: int = Field(default=200_000, ge=1000)
    """Different n-grams counted at a time for a language. Where there are more, only every second, fourth, ... is
    looked at, chosen by hash, and those are counted exactly. Takes 24 bytes each."""

    per_million: float | None = Field(default=None, gt=0)
    """Sentences with a phenomenon that are wanted in a million. Unset: as many as it may have and still be rare."""
    multiple: float = Field(default=4.0, ge=1)
    """A phenomenon never occurs in more than this multiple of the sentences it is naturally in. Text seen four times
    is worth nearly as much as new text (Muennighoff et al. 2023)."""
    uses: int = Field(default=3, ge=1)
    """Made documents in which one natural sentence may stand, beside its own."""
    document_uses: int = Field(default=4, ge=1)
    """Made documents to which one natural document may give passages."""
    max_share: float = Field(default=0.05, gt=0, le=0.5)
    """Made text of a language, as a share of its natural sentences and of its natural bytes."""

    options: int = Field(default=16, ge=1)
    """Sentences kept to choose from for each phenomenon, those with the smallest hashes."""
    context: int = Field(default=1, ge=0, le=8)
    """Neighbours on each side that come with an oversampled sentence."""
    shortest: int = Field(default=20, ge=1)
    """Characters of the shortest sentence that is used."""
    longest: int = Field(default=600, ge=20)
    """Characters of the longest."""
    document_words: int = Field(default=120, ge=10)
    """Words from which on a made document is long enough."""
    max_document_share: float = Field(default=0.35, gt=0, lt=1)
    """Share of a made document's words that may come from one natural document, or stand together in one other made
    document. Below ``prepare.deduplicate.near.jaccard``, a made document is no near duplicate of what it is made of."""
    host_sentences: int = Field(default=4, ge=2)
    """``insert``: neighbouring sentences that a sentence is put between."""
    hosts: int = Field(default=2000, ge=3)
    """Passages of ordinary text kept to choose from, those with the smallest hashes: to insert into, and company for
    sentences that would be too much of a made document."""

    lexicons: dict[str, str] = Field(default_factory=dict)
    """Lexicon of a language, by its tag: local files as UniMorph has them, lines of lemma, form and features with tabs
    between, UTF-8."""
    lexicon_forms: bool = False
    """Also put forms of the lexicon that are rare or absent in the corpus in the place of other lexemes' forms of the
    same cell. The sentences are then no longer natural, and what they say may make no sense."""
    seed: int = 0
    """Another one chooses other sentences."""

    @field_validator("lexicons")
    @classmethod
    def _known_languages(cls, lexicons: dict[str, str]) -> dict[str, str]:
        try:
            return {to_tag(label): path for label, path in lexicons.items()}
        except UnknownLanguage as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _some_length(self) -> PhenomenaConfig:
        if self.longest < self.shortest:
            raise ValueError(f"`longest` ({self.longest}) is below `shortest` ({self.shortest})")
        return self

    @property
    def passage_sentences(self) -> int:
        """Sentences that one with a phenomenon brings into a made document, itself included, at most."""
        return 2 * self.context + 1 if self.mode == "oversample" else self.host_sentences + 1

    @property
    def host_size(self) -> int:
        """Sentences of a passage of ordinary text."""
        return 2 * self.context + 1 if self.mode == "oversample" else self.host_sentences

    def check(self, near: NearDuplicateConfig) -> None:
        """See that made documents are not near duplicates of what they are made of.

        Raises:
            ConfigurationError: by these rules they could be, and the corpus would reject them.
        """
        share = self.max_document_share
        alike = share >= min(near.jaccard, near.containment)
        if near.enabled and alike and 1 - share <= near.own_text:
            raise ConfigurationError(
                f"phenomena.max_document_share is {share}, and prepare.deduplicate.near removes documents from a "
                f"similarity of {near.jaccard} and with up to {near.own_text} of text of their own",
                "lower `max_document_share` below `jaccard`",
            )

    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that are on."""
        return tuple(kind for kind in KINDS if getattr(self, kind))
