"""The script stage: scores only, decisions come with the thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pyarrow as pa

from pipeline.script.config import ScriptConfig
from pipeline.script.counts import agreement, dominant, script_counts, shares_column
from pipeline.stage import Outcome, with_column


@dataclass(frozen=True)
class ScriptStage:
    """Adds ``script``, ``script_share``, ``scripts`` and ``lang_script_agrees``.

    Columns:
        script: ISO 15924 code of most letters (string), ``script_share`` their share (float32).
        scripts: all scripts with at least 1 % of the letters, the largest first, each with its share.
        lang_script_agrees: whether the letters are in the script of ``lang`` (bool, null when unknown).


    Counters: ``script_mismatch``, documents whose script contradicts their language tag.
    """

    config: ScriptConfig = field(default_factory=ScriptConfig)
    name: ClassVar[str] = "script"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Score one batch with the column ``text`` and, where it has one, ``lang``."""
        if not self.config.enabled:
            return Outcome(batch)
        counts = script_counts(batch.column("text"))
        scripts, shares = dominant(counts)
        has_lang = batch.schema.get_field_index("lang") >= 0
        tags = batch.column("lang").to_pylist() if has_lang else [None] * batch.num_rows
        agrees = agreement(counts, tags, self.config)
        batch = with_column(batch, "script", pa.array(scripts, pa.string()))
        batch = with_column(batch, "script_share", pa.array(shares, pa.float32()))
        batch = with_column(batch, "scripts", shares_column(counts))
        batch = with_column(batch, "lang_script_agrees", pa.array(agrees, pa.bool_()))
        mismatches = agrees.count(False)
        return Outcome(batch, None, {"script_mismatch": mismatches} if mismatches else {})
