"""Sentences cut into pieces anew each time they are shown: subword regularisation.

A unigram model has a probability for each way to cut a word; one is taken in proportion to that probability to the
power of alpha (Kudo 2018, *Subword Regularization*, https://aclanthology.org/P18-1007/). Pieces do not reach over
blanks, so a sentence's way is the product of its words', and a word's few best ways are looked up once. Which one is
taken is a function of the seed that is given, not of what was drawn before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from trainer.translator.vocabulary import END, Ids, Vocabulary

Ints = npt.NDArray[np.int64]

WAYS: Final = 12
"""Ways to cut a word that are kept; the best ones."""


class Segmentations:
    """The ways to cut some sentences.

    Args:
        vocabulary: the translator's.
        texts: sentences, [N].
        alpha: power of the probabilities: 0 takes each of a word's best ways as often, 1 as the model has it.
    """

    def __init__(self, vocabulary: Vocabulary, texts: Sequence[str], alpha: float) -> None:
        sentences = vocabulary.words(texts)
        numbers: dict[str, int] = {}
        rows = [[numbers.setdefault(word, len(numbers)) for word in sentence] for sentence in sentences]
        self._sentences = [np.array(row, np.int64) for row in rows]
        ways = [vocabulary.ways(word, WAYS) for word in numbers]
        self._bounds = np.ones((len(ways), WAYS))
        first: list[int] = []
        lengths: list[int] = []
        flat: list[Ids] = []
        for number, found in enumerate(ways):
            scores = np.array([score for _, score in found])
            weights = np.exp(alpha * (scores - scores.max()))
            self._bounds[number, : len(found)] = np.cumsum(weights) / weights.sum()
            self._bounds[number, len(found) - 1 :] = 1.0
            first.append(len(lengths))
            lengths += [len(ids) for ids, _ in found]
            flat += [ids for ids, _ in found]
        self._first = np.array(first, np.int64)
        self._lengths = np.array(lengths, np.int64)
        self._starts = np.cumsum(self._lengths) - self._lengths
        self._flat = np.concatenate(flat) if flat else np.zeros(0, np.int32)

    def sample(self, places: Sequence[int], seed: int) -> list[Ids]:
        """Ids of some sentences, each cut in one of its ways, with the end.

        Args:
            places: of the sentences.
            seed: decides the ways.
        """
        if not places:
            return []
        words = [self._sentences[place] for place in places]
        row = np.concatenate(words)
        chances = np.random.Generator(np.random.Philox(key=seed)).random(len(row))
        way = self._first[row] + (chances[:, None] >= self._bounds[row]).sum(axis=1)
        lengths = self._lengths[way]
        ends = np.cumsum(lengths)
        within = np.arange(int(lengths.sum())) - np.repeat(ends - lengths, lengths)
        ids = self._flat[np.repeat(self._starts[way], lengths) + within]
        cuts = np.concatenate([[0], ends])[np.cumsum([len(sentence) for sentence in words])]
        return [np.append(part, END).astype(np.int32) for part in np.split(ids, cuts[:-1])]
