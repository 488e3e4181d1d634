"""The normalise stage."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.normalise import control, markup, mojibake, whitespace
from pipeline.normalise.config import NormaliseConfig
from pipeline.normalise.suspects import suspects
from pipeline.script.codepoints import utf8
from pipeline.stage import Outcome, split_batch, with_column

EMPTY = "empty_text"


@dataclass(frozen=True)
class NormaliseStage:
    """Repairs ``text`` and adds ``repairs``: the names of the repairs made, joined by commas, or null.

    Counters: ``repaired/<repair>``, documents that a repair changed. Rejects as ``empty_text`` what holds no
    character that can be seen.
    """

    config: NormaliseConfig = field(default_factory=NormaliseConfig)
    name: ClassVar[str] = "normalise"

    def __call__(self, batch: pa.RecordBatch) -> Outcome:
        """Repair one batch."""
        texts = batch.column("text")
        if texts.null_count:
            texts = texts.fill_null("")
        raw, bounds = utf8(texts)
        found = suspects(raw, bounds)
        thorough = found.but_nfc
        rows = np.flatnonzero(thorough | found.nfc)
        originals = texts.take(pa.array(rows)).to_pylist()
        counters: Counter[str] = Counter()
        changed: dict[int, str] = {}
        repairs: list[str | None] = [None] * batch.num_rows
        for row, full, text in zip(rows.tolist(), thorough[rows].tolist(), originals, strict=True):
            repaired, made = normalise(text, self.config) if full else compose(text, self.config)
            if made:
                changed[row] = repaired
                repairs[row] = ",".join(made)
                counters.update(f"repaired/{name}" for name in made)
        if changed:
            mask = np.zeros(batch.num_rows, np.bool_)
            mask[list(changed)] = True
            texts = pc.replace_with_mask(texts, pa.array(mask), pa.array(list(changed.values()), texts.type))
        batch = with_column(batch, "text", texts)
        batch = with_column(batch, "repairs", pa.array(repairs, pa.string()))
        empty = np.diff(utf8(texts)[1]) == 0
        # Without the white-space repair, blanks would hide that there is nothing.
        if not self.config.whitespace and thorough.any():
            empty |= pc.equal(pc.utf8_trim_whitespace(texts), "").to_numpy(zero_copy_only=False)
        reasons: list[str | None] = [EMPTY if nothing else None for nothing in empty.tolist()]
        return split_batch(batch, reasons, counters=dict(sorted(counters.items())))


def normalise(text: str, config: NormaliseConfig) -> tuple[str, list[str]]:
    """One text, repaired, and the names of the repairs that changed it.

    The order matters: the controls that wrong decoding leaves are needed to undo it, and entities may stand
    for blanks and controls.
    """
    made = []
    for name, repair in _STEPS:
        if getattr(config, name):
            repaired = repair(text)
            if repaired != text:
                made.append(name)
                text = repaired
    return text, made


def compose(text: str, config: NormaliseConfig) -> tuple[str, list[str]]:
    """The composition alone, for a text that is in order otherwise."""
    if not config.nfc or unicodedata.is_normalized("NFC", text):
        return text, []
    return unicodedata.normalize("NFC", text), ["nfc"]


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("mojibake", mojibake.repair),
    ("markup", markup.repair),
    ("control", control.repair),
    ("nfc", _nfc),
    ("whitespace", whitespace.repair),
)
