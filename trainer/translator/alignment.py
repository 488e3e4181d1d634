"""Which word of the source each word of a translation comes from, by a lexicon and by place.

IBM Model 1 says how likely a word is a translation of another; of equally likely ones that nearer to the diagonal is
taken, as in *fast_align* (Dyer, Chahuneau and Smith 2013, https://aclanthology.org/N13-1073/). Attention can be held to
it while it has not yet found by itself where to look (guided alignment, Chen et al. 2016, arXiv 1607.01628).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from corpus.lexicon import words
from trainer.translator.lexicon import EMPTY, Probabilities, probabilities
from trainer.translator.vocabulary import END, Ids, Vocabulary

Ints = npt.NDArray[np.int64]

_DIAGONAL: Final = 4.0
"""How fast the chance of an alignment falls with the distance from the diagonal, which is 1 from corner to corner."""
_NOWHERE: Final = -1


class Aligner:
    """Alignments of one direction.

    Args:
        pairs: (text, translation) to learn from.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._known: Probabilities = probabilities(pairs)

    def align(self, text: str, translation: str) -> Ints:
        """The word of the text that each word of the translation comes from, [W]; -1 where none is likely.

        Words are what stands between blanks. A word that both sides have, such as a name, is its own translation.
        """
        given, made = words(text), words(translation)
        found = np.full(len(made), _NOWHERE, np.int64)
        rows = [n for n, word in enumerate(made) if word.core]
        columns = [n for n, word in enumerate(given) if word.core]
        if not rows or not columns:
            return found
        sources = [given[n].core.casefold() for n in columns]
        targets = [made[n].core.casefold() for n in rows]
        chances = self._known.table(["", *sources], targets)
        same = np.array(targets)[:, None] == np.array(sources)[None]
        likely = np.maximum(chances[:, 1:], same)
        away = np.abs(np.array(rows)[:, None] / len(made) - np.array(columns)[None] / len(given))
        likely = likely * np.exp(-_DIAGONAL * away)
        best = likely.argmax(axis=1)
        value = likely[np.arange(len(rows)), best]
        sure = (value > 0) & (value >= chances[:, EMPTY] * np.exp(-_DIAGONAL / 2))
        found[np.array(rows)[sure]] = np.array(columns)[best[sure]]
        return found


def word_of(vocabulary: Vocabulary, ids: Ids) -> Ints:
    """The word, between blanks, of each token, [T]; -1 of the end and of what asks for a target."""
    found = np.cumsum(vocabulary.begins_word[ids]) - 1
    return np.where(ids == END, _NOWHERE, found)


def links(vocabulary: Vocabulary, alignment: Ints, source: Ids, target: Ids) -> npt.NDArray[np.bool_]:
    """Which source tokens each target token should look at, [T, S]: those of the word that its word comes from.

    Args:
        vocabulary: the translator's.
        alignment: of the words, [W].
        source: ids of the source.
        target: ids of the target, of W words; where the vocabulary counts others, nothing is aligned.
    """
    given, made = word_of(vocabulary, source), word_of(vocabulary, target)
    if int(made.max(initial=_NOWHERE)) + 1 != len(alignment):
        return np.zeros((len(target), len(source)), bool)
    wanted = np.where(made < 0, _NOWHERE, alignment[made])
    return np.asarray((wanted[:, None] == given[None]) & (wanted[:, None] >= 0), dtype=bool)
