"""What accompanies the steps: logs, checkpoints, evaluations, mean weights, languages that stop."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from corpus.config import Config


class AverageConfig(Config):
    """A running mean of the weights."""

    decay: float = Field(default=0.999, ge=0, lt=1)
    """Part of the mean that is kept at each step."""
    evaluate: bool = True
    """Use the mean in held-out evaluations and evidence."""


class LogConfig(Config):
    """What is written while training."""

    every: int = Field(default=10, ge=1)
    """Steps between two lines of metrics."""
    tensorboard: bool = True
    """Also write TensorBoard event files."""
    peak_flops: float | None = Field(default=None, gt=0)
    """Operations a second that one device can do at most, for the share of them that training gets (MFU). When not
    given, the dense bfloat16 peak of GPUs that are known; none on CPUs."""
    shares_every: int | None = Field(default=None, ge=1)
    """Measure each penalty's share of the gradient in the first line of metrics of every so many steps; null for never.
    A measurement takes another backward pass for each penalty."""


class CheckpointConfig(Config):
    """When the state is saved."""

    every: int | None = Field(default=None, ge=1)
    """Steps between two checkpoints; a tenth of the run when not given. The last step is always saved."""
    keep: int = Field(default=2, ge=1)
    """How many of the newest checkpoints stay."""


class HeldoutConfig(Config):
    """Held-out evaluation while training; `evaluate` afterwards uses all rows."""

    every: int | None = Field(default=None, ge=1)
    """Steps between two evaluations; a tenth of the run when not given. Steps 0 and the last are always evaluated."""
    rows: int | None = Field(default=4, ge=1)
    """Held-out rows of each language that are used; null for all."""


class EarlyStopConfig(Config):
    """Languages whose held-out figures no longer fall."""

    patience: int = Field(default=3, ge=1)
    """Held-out evaluations in a row without an improvement after which a language has stopped."""
    min_improvement: float = Field(default=0.001, ge=0)
    """Bits per byte by which a figure has to fall below the best so far."""
    min_bytes: int = Field(default=4000, ge=1)
    """Languages whose evaluated held-out text is smaller are not judged: their figures would be noise."""
    action: Literal["report", "keep_best", "stop_learning"] = "keep_best"
    """report: say so, change nothing. keep_best: a language's own parameters (adapter, gates, gains) end as they were
    at its best evaluation, where that is better under the final core. stop_learning: that, and from the stop on they
    do not move and the language's share of the rows goes to the others. Under the last two the run ends when all
    languages that can be judged have stopped."""
