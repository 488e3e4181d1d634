"""Sentence pairs as ids, cut into pieces in one way or in another one each time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corpus.hashing import stable_hash
from corpus.translations import SentencePair
from trainer.translator.segmentation import Segmentations
from trainer.translator.vocabulary import Ids, Vocabulary


class Rows:
    """Sources and targets of pairs.

    Args:
        vocabulary: the translator's.
        pairs: [N].
        sources: ids of each pair's source in its likeliest cut, with what asks for the target and the end.
        targets: ids of each pair's target.
        alpha: see :class:`~trainer.translator.segmentation.Segmentations`; None for the likeliest cuts alone.
        longest: most ids of a row; a cut into more pieces is not taken.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        pairs: Sequence[SentencePair],
        sources: Sequence[Ids],
        targets: Sequence[Ids],
        *,
        alpha: float | None,
        longest: int,
    ) -> None:
        self._sources, self._targets, self._longest = sources, targets, longest
        self._ways: tuple[Segmentations, Segmentations] | None = None
        if alpha is not None:
            self._begins = [np.array(vocabulary.begin(pair.target), np.int32) for pair in pairs]
            texts = [pair.text for pair in pairs], [pair.translation for pair in pairs]
            self._ways = Segmentations(vocabulary, texts[0], alpha), Segmentations(vocabulary, texts[1], alpha)

    def take(self, places: Sequence[int], seed: int) -> tuple[list[Ids], list[Ids]]:
        """Sources and targets of some pairs.

        Args:
            places: of the pairs.
            seed: decides how they are cut.
        """
        plain = [self._sources[n] for n in places], [self._targets[n] for n in places]
        if self._ways is None:
            return plain
        sources = self._ways[0].sample(places, stable_hash("source", seed))
        targets = self._ways[1].sample(places, stable_hash("target", seed))
        begun = [np.concatenate([self._begins[n], row]) for n, row in zip(places, sources, strict=True)]
        return self._fitting(begun, plain[0]), self._fitting(targets, plain[1])

    def _fitting(self, rows: Sequence[Ids], plain: Sequence[Ids]) -> list[Ids]:
        return [row if len(row) <= self._longest else other for row, other in zip(rows, plain, strict=True)]
