"""The quality stage: features and a score for every document, no decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from pipeline.quality.features import FEATURES, find
from pipeline.quality.score import score
from pipeline.stage import Outcome, with_column


@dataclass(frozen=True)
class QualityStage:
    """Adds the columns of ``FEATURES`` and ``quality``, all float32, and ``top_words`` where they are asked for."""

    top_words: bool = False
    """Whether to add the most frequent words of each document."""
    name: ClassVar[str] = "quality"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Score one batch with the column ``text``."""
        features, top_words = find(batch.column("text"), self.top_words)
        for number, name in enumerate(FEATURES):
            batch = with_column(batch, name, pa.array(np.ascontiguousarray(features[:, number])))
        if self.top_words:
            batch = with_column(batch, "top_words", pa.array(top_words, pa.string()))
        return Outcome(with_column(batch, "quality", pa.array(score(features))))
