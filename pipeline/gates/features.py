"""All measures of translated or paraphrased sentences, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.gates.chrf import chrf, margin
from pipeline.gates.language import language_probability, script_share
from pipeline.gates.surface import sizes, surface
from pipeline.gates.words import Floats
from pipeline.language_id.config import DEFAULT_MODEL

NAMES: Final = (
    "language",
    "script",
    "repetition",
    "copy_rate",
    "distance",
    "length_ratio",
    "truncated",
    "numbers",
    "round_trip_chrf",
    "round_trip_margin",
    "agreement",
    "score",
)
"""Every feature, in the order in which a sentence is judged."""
SIZE: Final = "size"
"""Characters of the source that are no space, ideographs counting for three: how far a ratio of lengths may vary."""


@dataclass(frozen=True)
class Features:
    """What was measured of n sentences."""

    columns: Mapping[str, Floats]
    """[n] by the names of ``NAMES`` and ``SIZE``; NaN where a sentence was not or could not be measured."""

    def __len__(self) -> int:
        return len(self.columns[SIZE])

    def __getitem__(self, name: str) -> Floats:
        return self.columns[name]

    def row(self, number: int) -> dict[str, float]:
        """What was measured of one sentence, for a record's provenance: four significant digits, no NaN."""
        found = {name: float(self.columns[name][number]) for name in NAMES}
        return {name: float(f"{value:.4g}") for name, value in found.items() if not np.isnan(value)}


def concat(parts: Sequence[Features]) -> Features:
    """Several samples as one."""
    return Features(
        {name: np.concatenate([part.columns[name] for part in parts] or [np.empty(0)]) for name in (*NAMES, SIZE)}
    )


def measure(
    sources: Sequence[str | None],
    outputs: Sequence[str],
    *,
    round_trips: Sequence[str | None] | None = None,
    scores: Sequence[float] | npt.NDArray[np.floating] | None = None,
    source_lang: str,
    target_lang: str,
    embeddings: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]] | None = None,
    documents: Sequence[int] | None = None,
    cut: Sequence[bool] | None = None,
    model: str | tuple[str, ...] = DEFAULT_MODEL,
) -> Features:
    """Measure n sentences.

    Features:
        language: probability of the target language, 0 to 1 (``language.language_probability``).
        script: share of the letters in its scripts, 0 to 1.
        repetition: share of the words that repeat those directly before them, 0 to 1.
        copy_rate: share of the words copied from the source in runs, 0 to 1; not within one language.
        distance: 1 - chrF / 100 to the source, where both are in one language (a paraphrase), 0 to 1.
        length_ratio: characters of the output by those of the source.
        truncated: 1 where generation ran into its limit, 0.5 where the final mark of the source is lost, else 0.
        numbers: Dice of the numbers on both sides, 0 to 1.
        round_trip_chrf: chrF of the source translated there and back against itself, 0 to 100.
        round_trip_margin: how much more that is than the chrF against other sources of the call, -100 to 100.
        agreement: cosine of sentence embeddings, -1 to 1.
        score: mean log-probability of the output's tokens, at most 0.

    Args:
        sources: n sentences; None (natural text of the target language) leaves what compares with a source unmeasured.
        outputs: n sentences.
        round_trips: n outputs translated back into the source language, or None.
        scores: [n] mean log-probability per token, natural logarithm.
        source_lang, target_lang: tags.
        embeddings: [n, d] of the sources and [n, d] of the outputs.
        documents: [n] the document each sentence is of, as any numbers; None where all are of one.
        cut: [n] whether generation ended at the limit of its length.
        model: of language identification.

    Raises:
        ConfigurationError: a model or package is missing.
    """
    given = [source or "" for source in sources]
    nothing = np.full(len(outputs), np.nan)
    columns: dict[str, Floats] = dict.fromkeys(NAMES, nothing)
    columns[SIZE] = sizes(given)
    columns.update(surface(given, outputs))
    without = np.array([source is None for source in sources], np.bool_)
    for name in ("copy_rate", "truncated", "numbers"):
        columns[name] = np.where(without, np.nan, columns[name])
    if cut is not None:
        columns["truncated"] = np.where(np.asarray(cut, np.bool_), 1.0, columns["truncated"])
    columns["language"] = language_probability(outputs, target_lang, source_lang, documents, model)
    columns["script"] = script_share(outputs, target_lang)
    if source_lang == target_lang:
        columns["copy_rate"] = nothing
        columns["distance"] = (
            1 - chrf([None if empty else text for text, empty in zip(outputs, without, strict=True)], given) / 100
        )
    if round_trips is not None:
        columns["round_trip_chrf"] = chrf(round_trips, given)
        columns["round_trip_margin"] = margin(round_trips, given, columns["round_trip_chrf"])
    if scores is not None:
        columns["score"] = np.asarray(scores, np.float64)
    if embeddings is not None:
        columns["agreement"] = _cosine(*embeddings)
    return Features(columns)


def _cosine(left: npt.NDArray[np.floating], right: npt.NDArray[np.floating]) -> Floats:
    dots = np.einsum("nd,nd->n", left, right, dtype=np.float64)
    norms = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return np.where(norms > 0, dots / np.maximum(norms, 1e-12), np.nan)
