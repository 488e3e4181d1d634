"""How natural text must look."""

from __future__ import annotations

from pydantic import Field

from corpus.config import Config


class LimitsConfig(Config):
    """From which distance on a budget shrinks; each by its own, null looks without judging. All are 0 for text like
    natural text and 1 for text that has nothing in common with it, and count beyond what two halves of the natural
    text differ by."""

    retranslated_auc: float | None = Field(default=0.9, ge=0.5, lt=1)
    """AUC of a classifier between natural documents and the same ones translated there and back: it cannot go by
    topics, so what it finds is the translation. Known where models lead both ways."""
    retranslated_style_auc: float | None = Field(default=0.9, ge=0.5, lt=1)
    """The same, from function words, punctuation and their order alone."""
    auc: float | None = Field(default=None, ge=0.5, lt=1)
    """AUC between natural and synthetic text. No limit unless you set one: two natural sources of a language are told
    apart just as surely."""
    style_auc: float | None = Field(default=None, ge=0.5, lt=1)
    """The same, from function words, punctuation and their order alone."""
    ngrams: float | None = Field(default=0.35, ge=0, lt=1)
    """Jensen-Shannon divergence of character 3-grams, in bits."""
    function_words: float | None = Field(default=0.2, ge=0, lt=1)
    """Jensen-Shannon divergence of the shares of frequent words, in bits."""
    lost_types: float | None = Field(default=0.5, ge=0, lt=1)
    """Share by which it has fewer different words, at equal numbers of words."""
    sentence_length: float | None = Field(default=0.7, ge=0, lt=1)
    """Kolmogorov-Smirnov distance of the lengths of sentences, in characters."""
    document_length: float | None = Field(default=None, ge=0, lt=1)
    """… and of documents. Parents are chosen by length, so this says little of a translation."""


class NaturalnessConfig(Config):
    """How synthetic text is compared with natural text of its language, and what follows."""

    enabled: bool = True
    """Compare; without it no budget shrinks."""
    passages: int = Field(default=400, ge=20)
    """Passages compared of each kind of text. The default takes about two CPU seconds for each language."""
    passage_characters: int = Field(default=300, ge=50)
    """Least length of a passage, in whole sentences."""
    frequent: float = Field(default=0.1, gt=0, le=1)
    """Words in so large a share of the natural passages are frequent; all others say topics."""
    floor: float = Field(default=0.0, ge=0, le=1)
    """Share of a budget that stays in any case. A budget may vanish by default: what a classifier never takes for
    natural text made models worse."""
    limits: LimitsConfig = LimitsConfig()
    """From which distance on a budget shrinks."""
