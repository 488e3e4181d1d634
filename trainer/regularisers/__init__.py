"""Registry of the penalties that may be added to the loss.

A regulariser is a pure function ``(moment, options, memory) -> Penalty``: it computes a value, some metrics and
what it wants to remember, and changes nothing. Its strength and schedule belong to the loop. Each has its own
module here, its entry in the registry and a method card in ``docs/methods``. Importing this package loads no
torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.config.parallel import ContrastiveOptions
from trainer.registry import Registry
from trainer.regularisers.options import (
    DeviationOptions,
    EmbeddingOptions,
    EwcOptions,
    GateOptions,
    L2SpOptions,
    OrthogonalityOptions,
    RDropOptions,
    RedundancyOptions,
    VRExOptions,
)

if TYPE_CHECKING:
    from trainer.regularisers.base import Regulariser


_REGISTRY: Registry[Regulariser] = Registry("regulariser")
_REGISTRY.add_own("deviation", DeviationOptions, "trainer.regularisers.deviation", "penalty", by_language=True)
_REGISTRY.add_own("l2_sp", L2SpOptions, "trainer.regularisers.anchored", "l2_sp")
_REGISTRY.add_own("ewc", EwcOptions, "trainer.regularisers.anchored", "ewc")
_REGISTRY.add_own("orthogonality", OrthogonalityOptions, "trainer.regularisers.orthogonality", "penalty")
_REGISTRY.add_own(
    "redundancy",
    RedundancyOptions,
    "trainer.regularisers.redundancy",
    "penalty",
    reads_rows=True,
    keeps=RedundancyOptions.wanted,
)
_REGISTRY.add_own(
    "embedding",
    EmbeddingOptions,
    "trainer.regularisers.embedding",
    "penalty",
    reads_rows=True,
    by_language=True,
    needs=("occurrences",),
)
_REGISTRY.add_own(
    "rdrop",
    RDropOptions,
    "trainer.regularisers.rdrop",
    "penalty",
    reads_rows=True,
    by_language=True,
    needs=("noise", "passes"),
)
_REGISTRY.add_own("vrex", VRExOptions, "trainer.regularisers.vrex", "penalty", reads_rows=True, needs=("recent",))
_REGISTRY.add_own("gates", GateOptions, "trainer.regularisers.gates", "penalty", by_language=True, needs=("gates",))
_REGISTRY.add_own(
    "contrastive",
    ContrastiveOptions,
    "trainer.regularisers.contrastive",
    "penalty",
    keeps=lambda options, layers: (options.block(layers),),
    needs=("pairs",),
)

register = _REGISTRY.register
names = _REGISTRY.names
check = _REGISTRY.check
load = _REGISTRY.load
reads_rows = _REGISTRY.reads_rows
keeps = _REGISTRY.keeps
by_language = _REGISTRY.by_language
needs = _REGISTRY.needs
