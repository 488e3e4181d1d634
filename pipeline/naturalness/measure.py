"""Distances between the natural and the synthetic text of a language, each beside that of two natural halves.

Small samples of one and the same text differ too. So the natural documents are divided in two halves, A and B, by
hash, and of A, B and the synthetic text equally many passages are taken: what A and B differ by is the baseline, what
synthetic text differs by from each of them, on average, the value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from corpus.hashing import stable_hash
from pipeline.naturalness.classifier import Success, cross_validate, folds, success
from pipeline.naturalness.config import NaturalnessConfig
from pipeline.naturalness.distances import jensen_shannon, kolmogorov_smirnov, lost_types
from pipeline.naturalness.features import UInt64s, Words, character_ngrams
from pipeline.naturalness.passages import Int64s, Passages, passages

FEWEST: Final = 10
"""Passages of each kind below which nothing is measured."""
_NGRAM: Final = 3
_CHANCE: Final = 0.5


@dataclass(frozen=True)
class Measure:
    """One distance; 0 is none."""

    value: float
    baseline: float
    """Between two halves of the natural text; chance where documents are compared with themselves."""
    low: float
    """Of an AUC the lower end of its interval of nine tenths, by resampling documents; else the value."""


@dataclass(frozen=True)
class Naturalness:
    """How far synthetic text is from natural text."""

    lang: str
    passages: int
    """Compared of each kind; 0 where there was too little text."""
    measures: dict[str, Measure]
    """By the names of ``LimitsConfig``."""

    def figures(self) -> dict[str, float]:
        """All numbers by name, those of the natural halves with ``_natural``, to four places; unknown ones left out."""
        found = {"passages": float(self.passages)}
        for name, measure in self.measures.items():
            found |= {name: measure.value, f"{name}_natural": measure.baseline}
            if measure.low != measure.value:
                found[f"{name}_low"] = measure.low
        return {name: round(value, 4) for name, value in found.items() if not np.isnan(value)}


def measure(
    natural: Sequence[str],
    synthetic: Sequence[str],
    lang: str,
    config: NaturalnessConfig | None = None,
    *,
    natural_ids: Sequence[str] | None = None,
    parents: Sequence[str] | None = None,
    retranslated: Sequence[str | None] | None = None,
    seed: int = 0,
) -> Naturalness:
    """Compare samples of natural and synthetic documents of a language.

    Args:
        natural: n documents.
        synthetic: m documents.
        lang: tag of the language.
        config: sizes; defaults if None.
        natural_ids: n ids, so that a document and what was made of it are on one side of a cross-validation.
        parents: m ids of the documents from which the synthetic ones were made.
        retranslated: the n natural documents translated to another language and back; None where one was not, or
            where no models lead both ways.
        seed: of what is chosen by hash.

    Returns:
        the measures; those that the texts are too short for are left out.
    """
    config = config or NaturalnessConfig()
    natural_ids = natural_ids or [f"natural {row}" for row in range(len(natural))]
    parents = parents or [f"synthetic {row}" for row in range(len(synthetic))]
    first = [stable_hash("half", name, seed=seed) % 2 == 0 for name in natural_ids]
    a = _cut(natural, natural_ids, first, lang, config, seed)
    b = _cut(natural, natural_ids, [not one for one in first], lang, config, seed)
    s = _cut(synthetic, parents, [True] * len(synthetic), lang, config, seed)
    count = min(len(part.texts) for part in (a, b, s))
    measures: dict[str, Measure] = {}
    if count >= FEWEST:
        samples = [_Sample(part.take(np.arange(count))) for part in (a, b, s)]
        measures = _distances(samples, config)
        lengths = [_lengths(natural, first), _lengths(natural, [not one for one in first]), _lengths(synthetic)]
        measures["document_length"] = _against(lengths, kolmogorov_smirnov)
        measures |= _successes(samples, ("auc", "style_auc"), config, seed)
    if retranslated is not None:
        measures |= _paired(natural, retranslated, natural_ids, lang, config, seed)
    return Naturalness(lang, count if count >= FEWEST else 0, measures)


class _Sample:
    """Passages with what is counted in them."""

    def __init__(self, part: Passages) -> None:
        self.passages = part
        self.words = Words(part.texts)


def _cut(
    texts: Sequence[str], groups: Sequence[str], chosen: Sequence[bool], lang: str, config: NaturalnessConfig, seed: int
) -> Passages:
    rows = [row for row, one in enumerate(chosen) if one]
    return passages(
        [texts[row] for row in rows],
        [groups[row] for row in rows],
        lang,
        config.passage_characters,
        config.passages,
        seed,
    )


def _lengths(texts: Sequence[str], chosen: Sequence[bool] | None = None) -> Int64s:
    return np.array([len(text) for row, text in enumerate(texts) if chosen is None or chosen[row]], np.int64)


def _against(parts: Sequence[Any], distance: Callable[[Any, Any], float]) -> Measure:
    """A distance of the third of three parts from the other two, on average, and that between those."""
    a, b, s = parts
    value = (distance(s, a) + distance(s, b)) / 2
    return Measure(value, distance(b, a), value)


def _distances(samples: Sequence[_Sample], config: NaturalnessConfig) -> dict[str, Measure]:
    grams = [np.asarray(character_ngrams(one.passages.texts, (_NGRAM,)).sum(axis=0)).ravel() for one in samples]
    frequent = _frequent(samples, config)
    shares = [_counts(one.words, frequent) for one in samples]
    running = [one.words.symbols[one.words.is_word] for one in samples]
    lengths = [one.passages.sentence_lengths for one in samples]
    return {
        "ngrams": _against(grams, jensen_shannon),
        "function_words": _against(shares, jensen_shannon),
        "lost_types": _against(running, lost_types),
        "sentence_length": _against(lengths, kolmogorov_smirnov),
    }


def _frequent(samples: Sequence[_Sample], config: NaturalnessConfig) -> UInt64s:
    """Words frequent in the natural halves, ascending."""
    a, b = (one.words.widespread(config.frequent) for one in samples[:2])
    return np.union1d(a, b)


def _counts(words: Words, frequent: UInt64s) -> Int64s:
    """Occurrences of each frequent word, and of all other words."""
    running = words.symbols[words.is_word]
    places = np.searchsorted(frequent, running)
    known = np.isin(running, frequent)
    return np.append(np.bincount(places[known], minlength=len(frequent)), (~known).sum()).astype(np.int64)


def _successes(
    samples: Sequence[_Sample], names: tuple[str, str], config: NaturalnessConfig, seed: int
) -> dict[str, Measure]:
    """What classifiers achieve between the third sample and each of the first two, and between those."""
    frequent = _frequent(samples, config)
    found = {}
    makers: tuple[Callable[[_Sample], Any], ...] = (
        lambda one: character_ngrams(one.passages.texts),
        lambda one: one.words.style(frequent),
    )
    for name, make in zip(names, makers, strict=True):
        rows = [make(one) for one in samples]
        groups = [one.passages.groups for one in samples]
        a = _success((rows[0], rows[2]), (groups[0], groups[2]), seed)
        b = _success((rows[1], rows[2]), (groups[1], groups[2]), seed)
        base = _success((rows[0], rows[1]), (groups[0], groups[1]), seed)
        if not np.isnan([a.auc, b.auc, base.auc]).any():
            found[name] = Measure((a.auc + b.auc) / 2, base.auc, (a.low + b.low) / 2)
    return found


def _success(rows: tuple[Any, Any], groups: tuple[Sequence[str], Sequence[str]], seed: int) -> Success:
    from scipy.sparse import vstack

    names = [*groups[0], *groups[1]]
    synthetic = np.arange(len(names)) >= len(groups[0])
    fold = folds(names, seed)
    return success(cross_validate(vstack(rows, format="csr"), synthetic, fold), synthetic, names, fold, seed)


def _paired(
    natural: Sequence[str],
    retranslated: Sequence[str | None],
    ids: Sequence[str],
    lang: str,
    config: NaturalnessConfig,
    seed: int,
) -> dict[str, Measure]:
    """The same documents natural and translated there and back.

    The baseline is chance: a document and itself cannot be told apart, so two other halves have nothing to say here.
    """
    rows = [row for row, text in enumerate(retranslated) if text]
    names = [ids[row] for row in rows]
    sides = [[natural[row] for row in rows], [retranslated[row] or "" for row in rows]]
    size = config.passage_characters
    cut = [passages(side, names, lang, size, config.passages, seed) for side in sides]
    count = min(len(part.texts) for part in cut)
    if count < FEWEST:
        return {}
    samples = [_Sample(part.take(np.arange(count))) for part in cut]
    frequent = samples[0].words.widespread(config.frequent)
    groups = (samples[0].passages.groups, samples[1].passages.groups)
    pairs = {
        "auc": tuple(character_ngrams(one.passages.texts) for one in samples),
        "style_auc": tuple(one.words.style(frequent) for one in samples),
    }
    found = {}
    for name, (before, after) in pairs.items():
        result = _success((before, after), groups, seed)
        if not np.isnan(result.auc):
            found[f"retranslated_{name}"] = Measure(result.auc, _CHANCE, result.low)
    return found
