"""What the filter must know of each language's documents as a whole; adds up in any order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.quality import sources
from pipeline.quality.config import FilterConfig
from pipeline.quality.histograms import Histogram, add, histograms
from pipeline.quality.rules import RULES
from pipeline.quality.sources import SourceCounts
from pipeline.quality.stop_words import WordSample


@dataclass(frozen=True)
class Survey:
    """Facts of one language, from some of its documents or all."""

    histogram: Histogram
    """How the measures of its documents are spread."""
    sources: SourceCounts
    """How its documents are spread over sources."""
    words: WordSample | None = None
    """Frequent words of some of its documents; None where no stop words are to be found."""

    @property
    def documents(self) -> int:
        """Documents surveyed."""
        return int(self.sources.sum())

    def __add__(self, other: Survey) -> Survey:
        words = self.words + other.words if self.words is not None and other.words is not None else None
        return Survey(add(self.histogram, other.histogram), self.sources + other.sources, words)


def measures(config: FilterConfig) -> tuple[str, ...]:
    """The features that a limit may be set on."""
    return tuple(dict.fromkeys(rule.feature for rule in RULES if config.limit(rule.name) is not None))


def survey(batch: pa.RecordBatch, config: FilterConfig) -> dict[str, Survey]:
    """Survey the documents of a batch.

    Args:
        batch: with the columns ``lang``, ``lang_score`` and the features, and ``top_words`` where stop words are to
            be found; ``url`` and ``source`` are used where they are.
        config: only what a limit is set on is counted.

    Returns:
        by language tag; rows without one are left out.
    """
    places = sources.hashes(sources.sources(batch))
    langs = batch.column("lang")
    if not pa.types.is_dictionary(langs.type):
        langs = pc.dictionary_encode(langs)
    owners = langs.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    numbers = {tag: number for number, tag in enumerate(langs.dictionary.to_pylist())}
    top = batch.column("top_words").to_pylist() if config.stop_words.enabled else None
    found = {}
    for tag, histogram in histograms(batch, measures(config)).items():
        rows = np.flatnonzero(owners == numbers[tag])
        words = None if top is None else WordSample.of(places[rows], [top[row] or "" for row in rows.tolist()])
        found[tag] = Survey(histogram, sources.count(places[rows]), words)
    return found


def merge(parts: Iterable[Mapping[str, Survey]]) -> dict[str, Survey]:
    """The sum of several surveys, in the order of their tags."""
    total: dict[str, Survey] = {}
    for part in parts:
        for tag, found in part.items():
            total[tag] = total[tag] + found if tag in total else found
    return dict(sorted(total.items()))
