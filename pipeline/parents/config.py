"""How much synthetic text there may be, and what it may be made from."""

from __future__ import annotations

from pydantic import Field, model_validator

from corpus.config import Config


class LanguageBudget(Config):
    """What one language gets instead of the rule for all."""

    share: float | None = Field(default=None, ge=0, lt=1)
    """Largest synthetic share of this language; 0 gives it none."""
    bytes: int | None = Field(default=None, ge=0)
    """Most bytes of synthetic text in this language; the share still holds."""


class BudgetConfig(Config):
    """Bytes of synthetic text for each language, from how much natural text it has."""

    share: float = Field(default=0.25, ge=0, lt=1)
    """Largest share of a language's text that may be synthetic: 0.5 gives as much again as there is natural text."""
    below_bytes: int | None = Field(default=1_000_000_000, ge=0)
    """Only languages with less natural text than this get any, and none grows beyond it."""
    below_share: float | None = Field(default=0.1, gt=0, le=1)
    """… and less than this share of the largest language's natural text."""
    below_median: float | None = Field(default=None, gt=0)
    """… and less than so many times the median of all languages' natural text. Of the three bounds the lowest holds;
    null switches one off."""
    least_bytes: int = Field(default=10_000, ge=1)
    """A language with less natural text gets none: nobody could tell whether what is made is like it."""
    max_bytes: int | None = Field(default=None, ge=0)
    """Most synthetic bytes in any language."""
    total_share: float | None = Field(default=0.25, ge=0, lt=1)
    """Largest synthetic share of the whole corpus. Where languages ask for more, the largest wishes are cut first."""
    total_bytes: int | None = Field(default=None, ge=0)
    """Most synthetic bytes in all languages together."""
    paraphrase: float = Field(default=0.2, ge=0, le=1)
    """Share of a language's budget for paraphrases; back-translation gets what the other methods leave."""
    insertion: float = Field(default=0.1, ge=0, le=1)
    """Share of a language's budget for sentences with rare phenomena."""
    languages: dict[str, LanguageBudget] = Field(default_factory=dict)
    """By language. One that is named here gets text however large it is."""

    @model_validator(mode="after")
    def _shares(self) -> BudgetConfig:
        if self.paraphrase + self.insertion > 1:
            raise ValueError("`paraphrase` and `insertion` together may be 1 at most")
        return self


class ParentsConfig(Config):
    """Which natural documents synthetic text is made from."""

    uses: int = Field(default=4, ge=1)
    """How often one document may be a parent, over all languages, methods and variants."""
    min_quality: float = Field(default=0.5, ge=0, le=1)
    """Least quality of a parent; documents without a quality are not asked."""
    min_bytes: int = Field(default=200, ge=1)
    """UTF-8 bytes of the shortest parent."""
    max_bytes: int = Field(default=20_000, ge=1)
    """… and of the longest."""
    documents: int = Field(default=50_000, ge=1)
    """Documents of each language to choose from, taken by hash from all. A thousand take about 6 MB of the driver's
    memory and 0.3 s."""
    topics: int = Field(default=128, ge=1, le=1024)
    """Groups of like documents in a language at most; of n documents √(2n)."""
    evenness: float = Field(default=0.5, ge=0, le=1)
    """How much each topic is to have in the end: 1 as much as any other, 0 its share in the parents' language."""

    @model_validator(mode="after")
    def _lengths(self) -> ParentsConfig:
        if self.min_bytes > self.max_bytes:
            raise ValueError("`min_bytes` is larger than `max_bytes`")
        return self
