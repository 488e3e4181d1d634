"""Corpus to rows: mixtures, quotas, order, packing, held-out rows.

NumPy and Arrow only; ``sampler.torch`` is the one module that knows torch.
"""

from sampler.config import SamplerConfig
from sampler.heldout import HeldoutBatch, HeldoutRows
from sampler.packing import PADDING, Batch, Row
from sampler.stream import CurriculumStream, Realised

__all__ = [
    "PADDING",
    "Batch",
    "CurriculumStream",
    "HeldoutBatch",
    "HeldoutRows",
    "Realised",
    "Row",
    "SamplerConfig",
]
