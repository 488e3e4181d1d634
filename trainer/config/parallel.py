"""Recipe section ``train.parallel``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from corpus.config import Config
from corpus.tags import is_tag


class TranslationConfig(Config):
    """Translation language modelling: hidden tokens of two sentences that say the same, each read beside the other."""

    pairs: int = Field(default=16, ge=1)
    """Pairs in one optimiser step, over all processes together."""
    strength: float = Field(default=1.0, ge=0)
    """Factor of the mean loss of their hidden tokens, which is added to the mean loss of the other rows."""
    warmup: float = Field(default=0.0, ge=0, le=1)
    """Share of the steps over which the strength rises linearly from zero."""
    positions: Literal["restart", "continue"] = "restart"
    """Positions of the second sentence: from 0 again, as in XLM (arXiv 1901.07291), so that words that translate each
    other lie near each other; or after those of the first."""


class ParallelRowsConfig(Config):
    """Extra rows of translations that join every step."""

    tlm: TranslationConfig | None = None
    """Translation language modelling; null for none."""
    contrastive_pairs: int = Field(default=0, ge=0)
    """Pairs in one optimiser step, over all processes together, that are read one sentence at a time for the
    ``contrastive`` regulariser; 0 for none."""
    near_duplicate: float = Field(default=0.6, gt=0)
    """Sentences of one language that share this much of their tokens (Jaccard similarity) are no negatives of each
    other's translations; above 1 only those of one group are none."""
    pivot: str | None = None
    """Only pairs with a sentence in this language; null for all pairs."""
    mixture: Literal["unimax", "temperature", "proportional", "uniform"] = "unimax"
    """How pairs of languages are balanced, by their numbers of pairs; as the sampler balances languages."""
    alpha: float = Field(default=0.3, ge=0, le=1)
    """Exponent of the ``temperature`` mixture."""
    max_repeats: float = Field(default=4.0, gt=0)
    """No two languages' pairs are read more often than this, as long as others are left."""
    heldout_pairs: int = Field(default=128, ge=0)
    """Held-out pairs of each two languages in which translations are searched at every held-out evaluation; 0 for none.
    ``evaluate`` uses eight times as many."""
    heldout_layer: int | None = Field(default=None, ge=0)
    """Block, from 0, whose vectors are searched; null takes the one of the ``contrastive`` regulariser, or that at two
    thirds of the depth."""

    @field_validator("pivot")
    @classmethod
    def _tag(cls, value: str | None) -> str | None:
        if value is not None and not is_tag(value):
            raise ValueError(f"'{value}' is no language tag such as eng_Latn")
        return value


class ContrastiveOptions(Config):
    """Options of the regulariser ``contrastive``."""

    layer: int | None = Field(default=None, ge=0)
    """Block, from 0, whose vectors are compared; null takes the one at two thirds of the depth."""
    temperature: float = Field(default=0.05, gt=0)
    """What cosines are divided by: the lower, the more the nearest negatives count."""
    queue: int = Field(default=0, ge=0)
    """Vectors of past steps that are negatives too; 0 for none."""
    centre: bool = False
    """Take the running mean of a language's sentences off each of them first, so that a translation cannot be told by
    its language."""
    centre_decay: float = Field(default=0.95, ge=0, lt=1)
    """Part of a language's running mean that is kept in a step."""

    def block(self, layers: int) -> int:
        """The number of the block, from 0."""
        return two_thirds(layers) if self.layer is None else self.layer


def two_thirds(layers: int) -> int:
    """The block at two thirds of the depth, from 0: the eighth of twelve."""
    return max(0, round(2 * layers / 3) - 1)
