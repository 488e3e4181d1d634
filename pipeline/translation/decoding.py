"""How a translation is searched for: beam, greedy or sampling, and its limits."""

from __future__ import annotations

from pydantic import Field, model_validator

from corpus.config import Config


class Decoding(Config):
    """Search for a translation. Beam search by default; with ``sampling_topk`` other than 1, random sampling."""

    beam_size: int = Field(default=4, ge=1)
    """Hypotheses kept at each step; 1 is greedy search, or sampling."""
    sampling_topk: int = Field(default=1, ge=0)
    """Draw each token from the so many likeliest; 0 from all, 1 does not sample."""
    sampling_topp: float = Field(default=1.0, gt=0, le=1)
    """Draw from the likeliest tokens whose probabilities add up to this (nucleus sampling)."""
    sampling_temperature: float = Field(default=1.0, gt=0)
    """Divides the logits before a draw; above 1 is more random, below 1 less."""
    length_penalty: float = Field(default=1.0, ge=0)
    """Beam search ranks hypotheses by log-probability divided by length to this power."""
    repetition_penalty: float = Field(default=1.0, gt=0)
    """Above 1, tokens that were already made become less likely."""
    no_repeat_ngram_size: int = Field(default=0, ge=0)
    """No n-gram of so many tokens is made twice; 0 is no rule."""
    max_source_tokens: int = Field(default=256, ge=1)
    """Sentences of more tokens are not translated; their problem is ``too_long``. A model's own bound counts where it
    is lower."""
    max_length_ratio: float = Field(default=2.0, gt=0)
    """A translation ends after so many tokens for each of the source's, whose number is rounded up to 15, 31, 63, ...
    for it."""
    min_length_limit: int = Field(default=32, ge=1)
    """A translation may always have so many tokens."""

    @model_validator(mode="after")
    def _one_search(self) -> Decoding:
        if self.samples and self.beam_size != 1:
            raise ValueError("sampling takes `beam_size: 1`")
        if not self.samples and (self.sampling_topp != 1.0 or self.sampling_temperature != 1.0):
            raise ValueError("`sampling_topp` and `sampling_temperature` need `sampling_topk` (0 is: from all tokens)")
        return self

    @property
    def samples(self) -> bool:
        """Whether tokens are drawn at random."""
        return self.sampling_topk != 1

    def output_limit(self, source_tokens: int) -> int:
        """Most tokens of a translation.

        Args:
            source_tokens: of the longest sentence that shares the limit; see :func:`pipeline.translation.batches.rung`.
                Sentences of a batch share one limit in CTranslate2, and a sentence's limit must not depend on which
                others are in its batch.
        """
        return max(self.min_length_limit, round(source_tokens * self.max_length_ratio))
