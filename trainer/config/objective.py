"""What the model learns to predict."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from corpus.config import Config


class GoldfishConfig(Config):
    """Tokens of often repeated text that are left out of the loss, so that it cannot be recited."""

    every: int = Field(default=4, ge=2)
    """k: one token in so many is left out."""
    context: int = Field(default=13, ge=1)
    """Tokens before it that decide whether a token is left out."""
    after: float = Field(default=4.0, ge=0)
    """Passes over a language's text after which its tokens are left out; 0 begins at once."""


class ObjectiveConfig(Config):
    """What the model learns to predict."""

    kind: Literal["causal", "masked", "mixed"] = "causal"
    """causal: the next token. masked: hidden tokens, from both sides. mixed: each row one of the two, in one model."""
    masked_share: float = Field(default=0.5, ge=0, le=1)
    """Share of masked rows under ``mixed``. One half did best here on causal and masked text alike; 15 in 16 won BabyLM
    2024 (Charpentier & Samuel, arXiv 2410.24159)."""
    mask_ratio: float = Field(default=0.3, gt=0, lt=1)
    """Share of the tokens hidden in a masked row at the start."""
    mask_ratio_end: float = Field(default=0.15, gt=0, lt=1)
    """Share of the tokens hidden at the end, reached linearly; also the share hidden in the evaluation."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of the probability that is asked for all pieces of the vocabulary alike (Szegedy et al. 2016, arXiv
    1512.00567). Logged losses are without it."""
    z_loss: float = Field(default=0.0, ge=0)
    """Factor of the squared logarithm of the softmax's normaliser, which keeps scores from drifting (PaLM, arXiv
    2204.02311: 1e-4). Logged losses are without it."""
    goldfish: GoldfishConfig | None = None
    """Leave some tokens of often repeated languages out of the loss; null for none."""
