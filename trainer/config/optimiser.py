"""How the weights move, and how many rows a step has."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from corpus.config import Config


class MuonConfig(Config):
    """Muon (Jordan et al. 2024), for the core's weight matrices; what is not a matrix of the core stays with AdamW."""

    learning_rate: float | None = Field(default=None, gt=0)
    """Peak learning rate of the matrices; ``optimiser.learning_rate`` when not given, as suits ``scaling: adamw``."""
    weight_decay: float | None = Field(default=None, ge=0)
    """Decoupled decay of the matrices; ``optimiser.weight_decay`` when not given."""
    momentum: float = Field(default=0.95, ge=0, lt=1)
    """Decay of the running mean of the gradient."""
    iterations: int = Field(default=5, ge=1, lt=100)
    """Newton-Schulz iterations that bring the update's singular values near to 1."""
    scaling: Literal["adamw", "original"] = "adamw"
    """Size of an update of m x n values. adamw: 0.2 * sqrt(max(m, n)), as large as AdamW's are, so that its rates and
    decay carry over (Liu et al. 2025, arXiv 2502.16982). original: sqrt(max(1, m / n)), smaller, for higher rates."""


class OptimiserConfig(Config):
    """AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101), or Muon and AdamW."""

    kind: Literal["adamw", "muon"] = "adamw"
    """adamw for all parameters, or muon for the core's weight matrices and adamw for embeddings, norms and adapters."""
    muon: MuonConfig = MuonConfig()
    """Settings of ``kind: muon``."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Peak learning rate; the preset's when not given (tiny 3e-3, small 1.5e-3, base 6e-4; for a model with a ``base``
    5e-5, or 1e-4 where the base is frozen)."""
    betas: tuple[float, float] = (0.9, 0.95)
    """Decay of the running means of the gradient and of its square."""
    epsilon: float = Field(default=1e-8, gt=0)
    """Added to the root of the second moment."""
    weight_decay: float = Field(default=0.1, ge=0)
    """Decoupled decay of the core's weight matrices; embeddings, norms and language adapters have none."""
    decay_growth: float = Field(default=0.0, ge=0)
    """Growth of the decay with repeats: it is multiplied by 1 + this * (passes over the text so far, averaged over the
    rows, - 1)."""
    decay_largest: float = Field(default=30.0, ge=1)
    """Largest factor of the decay."""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """Layer-wise learning rates: the rate of each block is this factor times that of the block above it, the
    embeddings' that of the lowest once more."""
    language_rate_power: float = Field(default=0.0, ge=0, le=1)
    """Learning rate of a language's own parameters (adapter, gates, gains) by its amount of text: the run's times (its
    tokens / the largest language's)^this; 0 gives all languages the same."""
    clip: float | None = Field(default=1.0, gt=0)
    """Largest norm of the whole gradient; null for no clipping."""

    @field_validator("betas")
    @classmethod
    def _betas_below_one(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not all(0 <= beta < 1 for beta in value):
            raise ValueError("both betas must be at least 0 and below 1")
        return value


class ScheduleConfig(Config):
    """Learning rate over the run, as a share of its peak."""

    kind: Literal["cosine", "linear", "constant"] = "cosine"
    """cosine or linear: falls from the peak on. constant: stays at the peak until the decay share begins."""
    warmup: float = Field(default=0.05, ge=0, le=1)
    """Share of the steps over which the rate rises linearly from zero."""
    decay: float = Field(default=0.2, ge=0, le=1)
    """``constant`` only: share of the steps, at the end, over which the rate falls linearly."""
    final: float = Field(default=0.1, ge=0, le=1)
    """Share of the peak left at the last step."""


class BatchGrowthConfig(Config):
    """Rows of a step that grow over the run."""

    start: float = Field(default=0.25, gt=0, le=1)
    """Rows of the first step as a share of ``train.rows``."""
    share: float = Field(default=1.0, ge=0, le=1)
    """Share of the steps over which they grow linearly."""
    multiple: int = Field(default=1, ge=1)
    """The rows of every step are a multiple of this; at least the number of processes under ``parallelism: fsdp``."""
