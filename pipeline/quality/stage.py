"""The quality stage: features and a score for every document, no decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from pipeline.quality.features import FEATURES, compute
from pipeline.quality.score import score
from pipeline.stage import Outcome, with_column


@dataclass(frozen=True)
class QualityStage:
    """Adds the columns of ``FEATURES`` and ``quality``, all float32."""

    name: ClassVar[str] = "quality"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Score one batch with the column ``text``."""
        features = compute(batch.column("text"))
        for number, name in enumerate(FEATURES):
            batch = with_column(batch, name, pa.array(np.ascontiguousarray(features[:, number])))
        return Outcome(with_column(batch, "quality", pa.array(score(features))))
