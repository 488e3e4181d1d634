"""Registry of the penalties that may be added to the loss.

A regulariser is a pure function ``(moment, options, memory) -> Penalty``: it computes a value, some metrics and
what it wants to remember, and changes nothing. Its strength and schedule belong to the loop. Each has its own
module here, its entry in the registry and a method card in ``docs/methods``. Importing this package loads no
torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from corpus.config import Config
from trainer.registry import Registry

if TYPE_CHECKING:
    from trainer.regularisers.base import Regulariser


class DeviationOptions(Config):
    """Options of ``deviation``."""

    power: float = Field(default=1.0, ge=0, le=2)
    """The penalty of a language is divided by its training tokens to this power; 1 is the Gaussian prior."""


class L2SpOptions(Config):
    """Options of ``l2_sp``."""

    reference: str | None = None
    """File of the reference weights, as `evenglot add-language` writes it; null takes the run's first weights."""
    hash: str | None = None
    """Hash that the file must have; null does not ask."""


class EwcOptions(Config):
    """Options of ``ewc``."""

    reference: str
    """File of the reference weights with their Fisher information, as `evenglot add-language` writes it."""
    hash: str | None = None
    """Hash that the file must have; null does not ask."""


_REGISTRY: Registry[Regulariser] = Registry("regulariser")
_REGISTRY.add_own("deviation", DeviationOptions, "trainer.regularisers.deviation", "penalty", by_language=True)
_REGISTRY.add_own("l2_sp", L2SpOptions, "trainer.regularisers.anchored", "l2_sp")
_REGISTRY.add_own("ewc", EwcOptions, "trainer.regularisers.anchored", "ewc")

register = _REGISTRY.register
names = _REGISTRY.names
check = _REGISTRY.check
load = _REGISTRY.load
reads_rows = _REGISTRY.reads_rows
keeps = _REGISTRY.keeps
by_language = _REGISTRY.by_language
needs = _REGISTRY.needs
