"""Corpus to rows: mixtures, quotas, order, packing, held-out rows.

NumPy and Arrow only; ``sampler.torch`` is the one module that knows torch.
"""

from sampler.batch import MIXED, PADDING, Batch, Row
from sampler.config import SamplerConfig
from sampler.heldout import HeldoutBatch, HeldoutRows
from sampler.stream import CurriculumStream, Realised

__all__ = [
    "MIXED",
    "PADDING",
    "Batch",
    "CurriculumStream",
    "HeldoutBatch",
    "HeldoutRows",
    "Realised",
    "Row",
    "SamplerConfig",
]
