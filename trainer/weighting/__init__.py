"""Registry of the language-aware losses: how much each language's tokens count in the mean loss.

A weighting is a pure function ``(losses, options, memory) -> Weighting``: from the languages' smoothed losses it
gives the distribution over languages under which the loss is to be taken. Factors, their bounds and their
schedule are in :mod:`trainer.weighting.factors`. Importing this package loads no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from corpus.config import Config
from trainer.registry import Registry

if TYPE_CHECKING:
    from trainer.weighting.base import Weigh


class GroupDROOptions(Config):
    """Options of ``group_dro``."""

    rate: float = Field(default=0.01, gt=0, le=1)
    """Step size of the exponentiated ascent, per nat and step."""
    adjustment: float = Field(default=0.0, ge=0)
    """C of the group-size adjustment C / sqrt(training tokens) that is added to each language's loss, in nats."""


class ChiSquareOptions(Config):
    """Options of ``chi_square``."""

    radius: float = Field(default=0.5, gt=0)
    """Largest chi-square divergence of the distribution over languages from their shares."""


class CVaROptions(Config):
    """Options of ``cvar``."""

    level: float = Field(default=0.5, gt=0, le=1)
    """Share of the tokens, those of the languages with the largest loss, that the loss is the mean of."""


class FocalOptions(Config):
    """Options of ``focal``."""

    power: float = Field(default=1.0, ge=0, le=8)
    """Exponent of a language's loss over the mean loss; 0 weighs all equally."""


class TemperedOptions(Config):
    """Options of ``tempered``."""

    power: float = Field(default=0.5, ge=0, le=1)
    """Exponent of the shares: 1 leaves the loss as it is, 0 counts all languages the same."""


_REGISTRY: Registry[Weigh] = Registry("language loss")
_REGISTRY.add_own("group_dro", GroupDROOptions, "trainer.weighting.group_dro", "weigh")
_REGISTRY.add_own("chi_square", ChiSquareOptions, "trainer.weighting.chi_square", "weigh")
_REGISTRY.add_own("cvar", CVaROptions, "trainer.weighting.cvar", "weigh")
_REGISTRY.add_own("focal", FocalOptions, "trainer.weighting.focal", "weigh")
_REGISTRY.add_own("tempered", TemperedOptions, "trainer.weighting.tempered", "weigh")

register = _REGISTRY.register
names = _REGISTRY.names
check = _REGISTRY.check
load = _REGISTRY.load
