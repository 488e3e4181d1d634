"""From the parents of a unit to candidates: sentences, translations, round trips, gates, documents; no framework."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from corpus.hashing import stable_hash
from corpus.storage import Storage
from pipeline.augment.candidates import Candidate, candidate_id, provenance
from pipeline.augment.unit import Document, Unit, read_parents
from pipeline.gates.agreement import SentenceEncoder
from pipeline.gates.config import GateConfig
from pipeline.gates.decide import decide
from pipeline.gates.document import Assembled, assemble
from pipeline.gates.features import NAMES, Features, measure
from pipeline.gates.thresholds import Thresholds
from pipeline.language_id.config import DEFAULT_MODEL
from pipeline.sentences.layout import Layout
from pipeline.sentences.split import split
from pipeline.translation.decoding import Decoding
from pipeline.translation.request import Request
from pipeline.translation.result import Translation
from pipeline.translation.routes import generator_of, languages_of

_Item = TypeVar("_Item")

BACK: Final = Decoding()
"""How a translation is translated back: always in the same way, whatever made it."""
UNTRANSLATED: Final = "untranslated"
"""Reason of a sentence that no model could translate."""


@dataclass(frozen=True)
class Loaded:
    """A unit with its parents' text, in one worker."""

    unit: Unit
    documents: tuple[Document, ...]
    layouts: tuple[Layout, ...]

    @property
    def sentences(self) -> list[str]:
        """Of all documents in order, those that are copied as they are left out."""
        return [
            sentence
            for layout in self.layouts
            for sentence, copied in zip(layout.sentences, layout.passthrough, strict=True)
            if not copied
        ]

    @property
    def owners(self) -> list[int]:
        """The document of each of them."""
        return [number for number, layout in enumerate(self.layouts) for copied in layout.passthrough if not copied]


@dataclass(frozen=True)
class Asked(Request):
    """A request that brings along what it is for."""

    loaded: Loaded | None = None
    forward: tuple[Translation, ...] = ()
    """Of a request for round trips, the translations that go back."""


def load(unit: Unit, corpus: Storage) -> Loaded:
    """The parents of a unit, cut into sentences."""
    documents = read_parents(corpus, unit.parents)
    return Loaded(unit, tuple(documents), tuple(split(document.text, unit.source) for document in documents))


def forward(loaded: Loaded) -> Asked:
    """What is to be translated; a paraphrase passes its whole route at once."""
    unit = loaded.unit
    # One seed for all units would draw alike for alike texts; a unit's own makes it a sample of its own.
    seed = stable_hash(unit.purpose, unit.variant, *(place for place in unit.parents), seed=unit.seed)
    return Asked(unit.name, tuple(loaded.sentences), unit.route, unit.decoding, seed % 2**31, loaded)


def backward(asked: Asked, found: Sequence[Translation]) -> Asked:
    """The translations on their way back; nothing where nobody asks what was lost."""
    loaded = loaded_of(asked)
    route = loaded.unit.back
    sentences = tuple("" if one.problem else one.text for one in found) if route else ()
    return Asked(asked.key, sentences, route, BACK, 0, loaded, tuple(found))


def measured(
    asked: Asked,
    round_trips: Sequence[Translation],
    model: str | tuple[str, ...] = DEFAULT_MODEL,
    encoder: SentenceEncoder | None = None,
) -> Features:
    """What the gates measure of the sentences of a unit.

    Args:
        asked: the request for round trips.
        round_trips: what came of it; empty where none was asked for.
        model: of language identification.
        encoder: of sentences, where their agreement is to be measured.
    """
    loaded = loaded_of(asked)
    outputs = ["" if one.problem else one.text for one in asked.forward]
    back = [None if one.problem or not one.text.strip() else one.text for one in round_trips]
    return measure(
        loaded.sentences,
        outputs,
        round_trips=back if round_trips else None,
        scores=[math.nan if one.score is None else one.score for one in asked.forward],
        source_lang=loaded.unit.source,
        target_lang=loaded.unit.lang,
        documents=loaded.owners,
        cut=[one.truncated for one in asked.forward],
        embeddings=(encoder.embed(loaded.sentences), encoder.embed(outputs)) if encoder is not None else None,
        model=model,
    )


@dataclass(frozen=True)
class Made:
    """What came of a unit."""

    candidates: list[Candidate]
    """One for each parent, accepted or not."""
    counters: dict[str, int]
    """``gates/<reason>_sentences`` by language, and sentences in all."""


def finish(asked: Asked, features: Features, thresholds: Thresholds, config: GateConfig) -> Made:
    """Judge sentences and put documents together.

    Args:
        asked: the request for round trips, with the translations.
        features: of the sentences.
        thresholds: of the pair.
        config: of the gates.
    """
    loaded = loaded_of(asked)
    judged = decide(features, thresholds, config)
    reasons = [
        UNTRANSLATED if one.problem else reason for one, reason in zip(asked.forward, judged.reasons, strict=True)
    ]
    counters = Counter(f"gates/{reason}_sentences" for reason in reasons if reason is not None)
    counters["sentences"] = len(reasons)
    candidates = []
    start = 0
    for document, layout in zip(loaded.documents, loaded.layouts, strict=True):
        stop = start + layout.passthrough.count(False)
        rows = slice(start, stop)
        texts = _in_layout(layout, [one.text for one in asked.forward[rows]])
        whole = assemble(layout, texts, _in_layout(layout, reasons[rows]), config, loaded.unit.lang)
        kept = [row for row in range(start, stop) if reasons[row] is None]
        text = whole.text
        if text is None:  # a rejected one keeps all that was made of it
            given = zip(layout.sentences, layout.passthrough, texts, strict=True)
            text = layout.rebuild([source if copied else made for source, copied, made in given], loaded.unit.lang)
        candidates.append(_candidate(loaded.unit, document, whole, text, _means(features, kept)))
        start = stop
    return Made(candidates, dict(sorted(counters.items())))


def _candidate(unit: Unit, document: Document, whole: Assembled, text: str, scores: dict[str, float]) -> Candidate:
    variant = f"{unit.variant}-{generator_of(unit.route)}-{unit.seed}"
    said = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
    detail = None if whole.reason is None else "; ".join(part for part in (whole.detail, said) if part)
    return Candidate(
        id=candidate_id(document.id, unit.purpose, unit.lang, variant),
        text=unit.tag + text,
        lang=unit.lang,
        origin=unit.purpose,
        parent=document.id,
        generator=generator_of(unit.route),
        provenance=provenance(
            unit.purpose,
            route=list(languages_of(unit.route)),
            models=[step.model for step in unit.route],
            decoding=unit.decoding.model_dump(mode="json", exclude_defaults=True),
            variant=unit.variant,
            seed=unit.seed,
            tag=unit.tag or None,
            scores=scores,
            kept_share=whole.kept_share,
            dropped=dict(whole.dropped) or None,
        ),
        source=document.source,
        file=document.place.path,
        offset=document.place.row,
        score=rank(scores) * whole.kept_share,
        reason=whole.reason,
        detail=detail,
    )


def rank(scores: dict[str, float]) -> float:
    """One number from 0 to 1 for how much of a parent came over: of two that are nearly the same the better stays.

    The chrF of the round trip where there was one; else the probability of a token.
    """
    if "round_trip_chrf" in scores:
        return min(max(scores["round_trip_chrf"] / 100, 0.0), 1.0)
    return math.exp(min(scores.get("score", 0.0), 0.0))


def _means(features: Features, rows: Sequence[int]) -> dict[str, float]:
    """Mean of every feature over some sentences, four significant digits; what was not measured is left out."""
    found = {}
    for name in NAMES:
        values = features[name][list(rows)]
        values = values[~np.isnan(values)]
        if len(values):
            found[name] = float(f"{values.mean():.4g}")
    return found


def _in_layout(layout: Layout, items: Sequence[_Item]) -> list[_Item | None]:
    """One item for each sentence of a layout; None for those that are copied."""
    left = iter(items)
    return [None if copied else next(left) for copied in layout.passthrough]


def loaded_of(asked: Asked) -> Loaded:
    """The unit that a request is for."""
    assert asked.loaded is not None
    return asked.loaded
