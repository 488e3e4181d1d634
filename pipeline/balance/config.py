"""How languages are balanced."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from corpus.config import Config


class BalanceConfig(Config):
    """The mixture that the records' weights follow; the others are stored beside it."""

    mixture: Literal["unimax", "temperature", "proportional", "uniform"] = "unimax"
    """``unimax``: as even as the cap on repeats allows; ``temperature``: sizes to the power alpha;
    ``proportional``: as found; ``uniform``: all alike, however often the smallest repeats."""
    epochs: float = Field(default=4.0, gt=0)
    """Largest number of passes over one language under UniMax; up to 4 are about as good as fresh text
    (Muennighoff et al. 2023, arXiv 2305.16264)."""
    alpha: float = Field(default=0.3, ge=0, le=1)
    """Exponent of the temperature mixture; 1 is proportional, 0 uniform."""
    budget: float | None = Field(default=None, gt=0)
    """UniMax's budget in passes over the whole corpus; none means one pass."""
