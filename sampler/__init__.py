"""Corpus to rows: mixtures, quotas, order, packing, held-out rows.

NumPy and Arrow only; ``sampler.torch`` is the one module that knows torch.
"""

from sampler.batch import MIXED, PADDING, Batch, Row
from sampler.config import SamplerConfig, Stage
from sampler.heldout import HeldoutBatch, HeldoutRows
from sampler.packing_report import PackingReport, packing_report
from sampler.progress import Realised, StageProgress
from sampler.stream import CurriculumStream

__all__ = [
    "MIXED",
    "PADDING",
    "Batch",
    "CurriculumStream",
    "HeldoutBatch",
    "HeldoutRows",
    "PackingReport",
    "Realised",
    "Row",
    "SamplerConfig",
    "Stage",
    "StageProgress",
    "packing_report",
]
