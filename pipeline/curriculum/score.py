"""From statistics to the two scores of a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.curriculum import difficulty, diversity
from pipeline.curriculum.features import SHARE_OF_NGRAMS, Bools, Features, read_features
from pipeline.curriculum.statistics import Means, Statistics

Floats = npt.NDArray[np.float64]

VERSION: Final = 1
"""Part of what a token shard says its scores come from; raised when the same text gets other scores."""
NEUTRAL: Final = 1.0
"""Diversity of a document that is like its language's others."""
PRIOR_CHARACTERS: Final = 250
"""Characters of typical text that each document is taken to have besides its own: little text proves little."""
PRIOR_DOCUMENTS: Final = 10
"""Documents from which on a language's sample counts for more than the neutral score."""
NGRAMS: Final = 1.0
WORDS: Final = 1.5
CONSTRUCTIONS: Final = 0.25
"""What a rare feature of each kind counts for."""
MIXED: Final = 0.5
"""What a document wholly in other languages and rare scripts gains by that."""
MOST: Final = 4.0
"""Times the mean of the language that rare features may count."""

HARDEST: Final = 16.0
MOST_DIVERSE: Final = 5.0
"""Ends of the scores' histograms; hardly a document lies above."""


class Scores(NamedTuple):
    """Of n documents, [n] each."""

    difficulty: npt.NDArray[np.float32]
    """Bits per character; NaN where nothing is known of the language's words."""
    diversity: npt.NDArray[np.float32]
    """1 is the mean of the language."""


def score(batch: pa.RecordBatch, statistics: Statistics, own: Bools) -> Scores:
    """Score documents of one language.

    Args:
        batch: n documents with the columns ``text``, ``scripts`` and ``code_switching`` of a text shard.
        statistics: of the language.
        own: which of the documents are in the sample: their own counts are taken away before they are judged.
    """
    means = statistics.means
    hard = np.full(batch.num_rows, means.bits if statistics.running_words else np.nan)
    rich = np.full(batch.num_rows, NEUTRAL)
    prior = PRIOR_CHARACTERS / SHARE_OF_NGRAMS
    for found, bits, rare in _measured(batch, statistics, own):
        rows = slice(found.first, found.first + found.text.documents)
        sizes = found.sizes + PRIOR_CHARACTERS
        if statistics.running_words:
            hard[rows] = (bits + PRIOR_CHARACTERS * means.bits) / sizes
        sums = NGRAMS * rare.ngrams + WORDS * rare.words + CONSTRUCTIONS * rare.constructions
        features = np.minimum((sums / means.rare + PRIOR_CHARACTERS) / sizes, MOST) if means.rare > 0 else NEUTRAL
        attested = (rare.attested + prior * means.attested) / (rare.attestable + prior)
        rich[rows] = features * np.minimum(attested / means.attested, 1) if means.attested else features
    rich += MIXED * diversity.mixing(batch.column("scripts"), batch.column("code_switching"), statistics)
    rich = NEUTRAL + (rich - NEUTRAL) * statistics.documents / (statistics.documents + PRIOR_DOCUMENTS)
    return Scores(hard.astype(np.float32), rich.astype(np.float32))


def measure(statistics: Statistics, batches: Iterable[pa.RecordBatch]) -> Means:
    """The means of the sample that the statistics were counted in."""
    characters, bits, rare, attested, attestable = 0, 0.0, 0.0, 0.0, 0.0
    for batch in batches:
        for found, some_bits, some in _measured(batch, statistics, np.ones(batch.num_rows, np.bool_)):
            characters += int(found.sizes.sum())
            bits += float(some_bits.sum())
            rare += float((NGRAMS * some.ngrams + WORDS * some.words + CONSTRUCTIONS * some.constructions).sum())
            attested += float(some.attested.sum())
            attestable += float(some.attestable.sum())
    return Means(bits / max(characters, 1), rare / max(characters, 1), attested / max(attestable, 1.0))


def _measured(
    batch: pa.RecordBatch, statistics: Statistics, own: Bools
) -> Iterator[tuple[Features, Floats, diversity.Rare]]:
    for found in read_features(batch.column("text")):
        chosen = own[found.first : found.first + found.text.documents]
        yield found, difficulty.bits(found, statistics, chosen), diversity.rare(found, statistics, chosen)
