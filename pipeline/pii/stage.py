"""The stage that masks personal data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.pii.config import PiiConfig
from pipeline.pii.mask import mask
from pipeline.pii.suspects import may_hold
from pipeline.script.codepoints import utf8
from pipeline.stage import Outcome, with_column


@dataclass(frozen=True)
class MaskPiiStage:
    """Replaces personal data in ``text`` by placeholders.

    Counters: ``masked/<kind>``, replacements made; ``masked/documents``, documents with any. Rejects nothing.
    """

    config: PiiConfig = field(default_factory=lambda: PiiConfig(enabled=True))
    name: ClassVar[str] = "pii"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Mask one batch."""
        if not self.config.enabled:
            return Outcome(batch)
        texts = batch.column("text")
        if texts.null_count:
            texts = texts.fill_null("")
        suspects = may_hold(*utf8(texts))
        counters: Counter[str] = Counter()
        changed: list[bool] = []
        masked: list[str] = []
        for text in texts.filter(pa.array(suspects)).to_pylist():
            new, found = mask(text, self.config)
            changed.append(bool(found))
            if found:
                masked.append(new)
                counters.update({f"masked/{kind}": count for kind, count in found.items()})
        if not masked:
            return Outcome(batch)
        counters["masked/documents"] = len(masked)
        rows = suspects.copy()
        rows[suspects] = changed
        texts = pc.replace_with_mask(texts, pa.array(rows), pa.array(masked, texts.type))
        return Outcome(with_column(batch, "text", texts), None, dict(sorted(counters.items())))
