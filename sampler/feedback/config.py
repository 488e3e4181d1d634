"""The ``sampler.feedback`` section of a recipe. Importing this module loads no NumPy."""

from __future__ import annotations

from typing import Final

from pydantic import Field, model_validator

from corpus.config import Config
from corpus.errors import ConfigurationError

HELDOUT: Final = "heldout"
"""The baseline that stands for the last held-out losses."""


class FeedbackConfig(Config):
    """How the mixture follows the losses. Off by default: no such policy beat a fixed mixture consistently
    (Chen et al. 2024, arXiv 2411.05735)."""

    policy: str = "none"
    """Rule that makes shares from losses: none, excess (loss above a baseline), progress (how fast the loss falls),
    exponentiated_gradient (shares grow with the loss, step by step), or one that was registered."""
    every: int = Field(default=8, ge=1)
    """Blocks between two decisions; decision n holds from block n times this number on. Changes by hand wait for
    the same blocks."""
    delay: int = Field(default=2, ge=0)
    """Blocks before a decision's own first block whose losses it does not use, so that rows can be read ahead. At
    least the rows of a step; give the rows that all workers prefetch, and none of them ever waits."""
    rate: float = Field(default=1.0, gt=0)
    """How strongly the shares answer: factor of the score in the exponent."""
    decay: float = Field(default=0.5, ge=0, lt=1)
    """Part of a language's running mean loss that stays when a new mean comes (excess and progress)."""
    smoothing: float = Field(default=0.1, ge=0, le=1)
    """Part of the recipe's mixture that is always mixed in."""
    floor: float = Field(default=0.25, ge=0, le=1)
    """Smallest share of a language, as a multiple of the share that the recipe gives it."""
    cap: float = Field(default=4.0, ge=1)
    """Largest share of a language, as a multiple of the share that the recipe gives it. The largest number of passes,
    `sampler.max_repeats` (`sampler.epochs` under UniMax), holds over the whole run as well."""
    baseline: dict[str, float] | str | None = None
    """Loss in nats per token that each language is compared with: a number for each tag, the name of a YAML or JSON
    file of them, or `heldout` for the last held-out losses. excess needs one, exponentiated_gradient can use one."""
    min_tokens: int = Field(default=8192, ge=1)
    """Predicted tokens of a language before its mean loss is believed; until then they are added up."""

    @model_validator(mode="after")
    def _fits(self) -> FeedbackConfig:
        if self.policy != "none":
            from sampler.feedback.policies import load

            try:
                load(self.policy)
            except ConfigurationError as error:
                raise ValueError(str(error)) from error
        if self.delay >= self.every:
            raise ValueError(f"delay {self.delay} must be below every {self.every}, else decisions overtake each other")
        if self.policy == "excess" and self.baseline is None:
            raise ValueError("the policy excess needs a baseline: losses by language, a file of them, or `heldout`")
        return self
