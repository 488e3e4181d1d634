"""The gates for whole documents: what the ordinary stages found must fit the language asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from corpus.tags import to_tag_or_none
from pipeline.gates.config import GateConfig
from pipeline.language_id.config import IdentifyConfig
from pipeline.language_id.model import load_model
from pipeline.stage import Outcome, split_batch


@dataclass(frozen=True)
class DocumentGateStage:
    """Rejects synthetic documents that are not in the language asked for, or worse than natural ones of it.

    Runs after identify, script and quality. Reasons, the first that holds:
        wrong_language: ``lang`` differs from the language asked for, ``declared_lang``; a language that the
            model of identification does not know is not judged (counter ``language_unknown``).
        mixed_languages: more than ``config.max_switched`` of the letters are in sentences of other languages.
        wrong_script: ``lang_script_agrees`` is false.
        low_quality: ``quality`` is below the floor of the language.
    """

    config: GateConfig = field(default_factory=GateConfig)
    floors: Mapping[str, float] = field(default_factory=dict)
    """Least quality by language, from ``quality_floor``; a language that is missing has none."""
    identify: IdentifyConfig = field(default_factory=IdentifyConfig)
    name: str = "gates"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Judge one batch with the columns named above; those that are missing decide nothing."""
        count = batch.num_rows
        asked = [to_tag_or_none(label) for label in _column(batch, "declared_lang")]
        found, scores = _column(batch, "lang"), _column(batch, "lang_score")
        switched, agrees = _column(batch, "code_switching"), _column(batch, "lang_script_agrees")
        scripts, quality = _column(batch, "script"), _column(batch, "quality")
        known = frozenset(load_model(self.identify.model).tags) if count else frozenset()
        reasons: list[str | None] = [None] * count
        details: list[str | None] = [None] * count
        unknown = 0
        for row, target in enumerate(asked):
            if target is None or target not in known:
                unknown += 1
            elif found[row] is not None and found[row] != target:
                reasons[row] = "wrong_language"
                details[row] = f"asked for {target}, found {found[row]} {scores[row] or 0.0:.2f}"
                continue
            floor = self.floors.get(target or "")
            if switched[row] is not None and switched[row] > self.config.max_switched:
                reasons[row] = "mixed_languages"
                details[row] = f"code_switching {switched[row]:.3g} > max_switched {self.config.max_switched:.3g}"
            elif agrees[row] is False:
                reasons[row], details[row] = "wrong_script", f"asked for {target}, most letters are {scripts[row]}"
            elif floor is not None and quality[row] is not None and quality[row] < floor:
                reasons[row], details[row] = "low_quality", f"quality {quality[row]:.4g} < {floor:.4g}"
        return split_batch(batch, reasons, details, {"language_unknown": unknown} if unknown else {})


def quality_floor(natural: Sequence[float], config: GateConfig) -> float | None:
    """Least ``quality`` of a synthetic document of a language.

    Args:
        natural: ``quality`` of natural documents of the language.
        config: the quantile.

    Returns:
        None where there are fewer than ten, or the quantile is 0.
    """
    if len(natural) < 10 or config.quality_quantile == 0:
        return None
    return float(np.quantile(np.asarray(natural, np.float64), config.quality_quantile, method="lower"))


def _column(batch: pa.RecordBatch, name: str) -> list[Any]:
    index = batch.schema.get_field_index(name)
    values: list[Any] = batch.column(index).to_pylist() if index >= 0 else [None] * batch.num_rows
    return values
