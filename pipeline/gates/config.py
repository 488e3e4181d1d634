"""Settings of the gates: bounds within which each pair's thresholds are set from its own calibration sample."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from corpus.config import Config


class Bound(Config):
    """A threshold set for each pair of languages from a natural sample, never outside two bounds.

    A number instead of a section is one threshold for every pair.
    """

    strictest: float
    """The threshold is never tighter than this."""
    loosest: float
    """The threshold is never wider than this, however badly the natural sample does."""
    default: float
    """The threshold of pairs with too small a sample."""
    quantile: float | None = Field(default=None, ge=0, lt=1)
    """Share of the natural sample that may fail this gate; null takes that of all gates."""

    @model_validator(mode="before")
    @classmethod
    def _one_for_all(cls, given: Any) -> Any:
        """A number is one threshold for every pair."""
        if isinstance(given, int | float) and not isinstance(given, bool):
            return {"strictest": given, "loosest": given, "default": given}
        return given

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, high = sorted((self.strictest, self.loosest))
        if not low <= self.default <= high:
            raise ValueError(f"the default {self.default} lies outside {low} to {high}")
        return self


class GateConfig(Config):
    """What synthetic sentences and documents must reach. ``null`` turns a gate off.

    Synthetic text is judged more strictly than natural text: a sentence that does worse than ``quantile`` of the
    natural sample goes, at every gate, where the quality filters for natural text aim at losing none of it.
    """

    quantile: float = Field(default=0.02, ge=0, lt=0.5)
    """Share of the natural sample that may fail each gate: what a threshold asks for, within its bounds."""
    min_sample: int = Field(default=100, ge=1)
    """Measured sentences a pair needs for a threshold of its own. With fewer, the sentences of all pairs together set
    it (the default, where those are too few as well), or the pair's own from 20 on, if that rejects less."""
    min_language: Bound | None = Bound(strictest=0.65, loosest=0.2, default=0.5)
    """Probability of the target language, close relatives counting as it. Reason ``wrong_language``."""
    min_script: Bound | None = Bound(strictest=0.9, loosest=0.5, default=0.6)
    """Share of the letters in the scripts of the target language. Reason ``wrong_script``."""
    max_repetition: Bound | None = Bound(strictest=0.1, loosest=0.3, default=0.2)
    """Share of the words that repeat those directly before them. Reason ``repetition``."""
    max_copy_rate: Bound | None = Bound(strictest=0.25, loosest=0.5, default=0.3)
    """Share of the words, names left aside, that are copied from the source in runs. Reason ``copied``."""
    min_distance: Bound | None = Bound(strictest=0.3, loosest=0.1, default=0.2)
    """Of paraphrases: 1 - chrF / 100 between output and parent. Reason ``too_close``."""
    max_distance: Bound | None = Bound(strictest=0.9, loosest=0.9, default=0.9)
    """Of paraphrases: above it nothing of the parent is left. Reason ``too_far``."""
    max_length_deviation: Bound | None = Bound(strictest=2.0, loosest=4.5, default=4.0)
    """Standard deviations between the logarithm of the ratio of lengths and what is usual for the pair; short sentences
    vary more and are allowed more. Reasons ``too_short``, ``too_long``."""
    max_truncated: Bound | None = Bound(strictest=0.0, loosest=0.5, default=0.0, quantile=0.1)
    """0 rejects outputs that lost the final mark of their source and are shorter than usual for the pair, 0.5 only
    those that ran into the limit of their length: for languages that end sentences without a mark. Reason
    ``truncated``."""
    min_numbers: Bound | None = Bound(strictest=0.3, loosest=0.15, default=0.3, quantile=0.15)
    """Share of the numbers of two digits and more that both sides hold; null for models that write numbers as words.
    Reason ``numbers``."""
    min_round_trip: Bound | None = Bound(strictest=40.0, loosest=12.0, default=20.0)
    """chrF of the source translated there and back, 0 to 100. Reason ``round_trip``."""
    min_round_trip_margin: Bound | None = Bound(strictest=6.0, loosest=2.0, default=3.0, quantile=0.05)
    """How much more the round trip has in common with its source than with others of about equal length, in points of
    chrF: tells translations of something else even where a weak model's chrF is low throughout. Reason
    ``other_content``."""
    min_agreement: Bound | None = Bound(strictest=0.8, loosest=0.3, default=0.5)
    """Cosine of the sentence embeddings of source and output, where a model is given. Reason ``disagrees``."""
    agreement_model: str | None = None
    """Folder of a sentence encoder, as ``evenglot models convert`` makes it; null measures no agreement."""
    min_score: Bound | None = Bound(strictest=-0.7, loosest=-3.0, default=-1.5)
    """Mean log-probability of the output's tokens. Reason ``low_score``."""
    min_kept_share: float = Field(default=0.7, ge=0, le=1)
    """Share of a document's text, by letters of its source, whose sentences must pass; with less the whole document is
    rejected, for the reason that took most."""
    quality_quantile: float = Field(default=0.1, ge=0, lt=1)
    """A synthetic document must have a better ``quality`` than this share of the natural documents of its language.
    Reason ``low_quality``."""
    max_switched: float = Field(default=0.15, ge=0, le=1)
    """Largest share of a synthetic document's letters in sentences of other languages. Reason ``mixed_languages``."""

    def bound(self, gate: str) -> Bound | None:
        """The bounds of a gate by its field's name."""
        found: Bound | None = getattr(self, gate)
        return found
