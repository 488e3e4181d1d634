"""The stage that labels records with their language."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from corpus.schema import NO_LANGUAGE, UNDETERMINED
from corpus.tags import to_tag_or_none
from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.model import load_model
from pipeline.stage import Outcome, with_column


@dataclass(frozen=True)
class IdentifyStage:
    """Adds ``lang`` and ``lang_score``; rejects nothing.

    What to do with ``und``, ``zxx`` and low scores is decided later, when the scores of the whole corpus are
    known. Counters: ``undetermined``, ``no_language``, ``declared_unknown`` (a declared label that names no
    language) and ``declared_differs`` (it names another one than was found).
    """

    config: IdentifyConfig = field(default_factory=IdentifyConfig)
    name: str = "identify"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Label one batch.

        Args:
            batch: rows with ``text`` and, where there is one, ``declared_lang``.
        """
        texts = [text or "" for text in batch.column("text").to_pylist()]
        declared = self._declared(batch)
        tags = [to_tag_or_none(label) for label in declared]
        prediction = load_model(self.config.model).predict(texts, self.config, tags)
        kept = with_column(batch, "lang", pa.array(prediction.tags, pa.string()))
        kept = with_column(kept, "lang_score", pa.array(prediction.scores, pa.float32()))
        found = prediction.tags
        counters = {
            "undetermined": found.count(UNDETERMINED),
            "no_language": found.count(NO_LANGUAGE),
            "declared_unknown": sum(bool(label) and tag is None for label, tag in zip(declared, tags, strict=True)),
            "declared_differs": sum(
                tag is not None and other not in (tag, UNDETERMINED) for tag, other in zip(tags, found, strict=True)
            ),
        }
        return Outcome(kept, None, {name: count for name, count in counters.items() if count})

    @staticmethod
    def _declared(batch: pa.RecordBatch) -> list[str | None]:
        index = batch.schema.get_field_index("declared_lang")
        if index < 0:
            return [None] * batch.num_rows
        labels: list[str | None] = batch.column(index).to_pylist()
        return labels
