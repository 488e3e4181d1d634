"""Lexicons learnt from sentence pairs.

The lexicon is IBM Model 1 (Brown et al. 1993): t(f|e), the probability that word e of one side is translated by word f
of the other, by expectation maximisation over all alignments, each target word being made by one source word or by
none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from corpus.hashing import stable_hash
from corpus.lexicon import Lexicon, words

Ints = npt.NDArray[np.int64]

_ROUNDS: Final = 8
_MOST_PAIRS: Final = 50_000
_MOST_WORDS: Final = 80
"""Longer sentences are left out: their alignments say least and cost most."""
EMPTY: Final = 0
"""Id of the empty source word, and its column where it is asked for first."""
_UNMET: Final = (1 << 31) - 1


class Probabilities:
    """t(f|e) of words that occur in one pair of sentences.

    Args:
        sources: folded source word -> id; 0 is the empty word.
        targets: folded target word -> id.
        cells: ids of e and f in one number, e << 32 | f, ascending, [C].
        chances: t(f|e), [C].
    """

    def __init__(
        self, sources: dict[str, int], targets: dict[str, int], cells: Ints, chances: npt.NDArray[np.float64]
    ) -> None:
        self.sources, self.targets, self.cells, self.chances = sources, targets, cells, chances

    def table(self, given: Sequence[str], made: Sequence[str]) -> npt.NDArray[np.float64]:
        """t(f|e) of each target word and source word, [F, E]; 0 of words that never met.

        Args:
            given: folded source words, "" for the empty one.
            made: folded target words.
        """
        if not len(self.cells):
            return np.zeros((len(made), len(given)))
        e = np.array([self.sources.get(word, _UNMET) for word in given], np.int64)
        f = np.array([self.targets.get(word, _UNMET) for word in made], np.int64)
        wanted = (e[None] << 32) + f[:, None]
        places = np.minimum(np.searchsorted(self.cells, wanted), len(self.cells) - 1)
        return np.where(self.cells[places] == wanted, self.chances[places], 0.0)


def learn(pairs: Iterable[tuple[str, str]], *, rounds: int = _ROUNDS) -> Lexicon:
    """A lexicon from sentence pairs.

    Args:
        pairs: (text, translation); of more than 50,000, those with the lowest hashes.
        rounds: of expectation maximisation.
    """
    known = probabilities(pairs, rounds=rounds)
    best = _best(known.cells, known.chances)
    named = list(known.targets)
    return Lexicon({word: named[best[number]] for word, number in known.sources.items() if number in best and word})


def probabilities(pairs: Iterable[tuple[str, str]], *, rounds: int = _ROUNDS) -> Probabilities:
    """t(f|e) by IBM Model 1; arguments as for :func:`learn`."""
    chosen = list(dict.fromkeys(pairs))
    if len(chosen) > _MOST_PAIRS:
        chosen = sorted(chosen, key=lambda pair: (stable_hash("lexicon", *pair), pair))[:_MOST_PAIRS]
    sources: dict[str, int] = {"": EMPTY}
    targets: dict[str, int] = {}
    links: list[Ints] = [np.zeros(0, np.int64)]
    owners: list[Ints] = [np.zeros(0, np.int64)]
    count = 0
    for text, translation in chosen:
        given, made = _ids(text, sources), _ids(translation, targets)
        if not given or not made or max(len(given), len(made)) > _MOST_WORDS:
            continue
        given = [EMPTY, *given]
        links.append(
            np.repeat(np.array(made, np.int64), len(given)) + (np.tile(np.array(given, np.int64), len(made)) << 32)
        )
        owners.append(np.repeat(np.arange(count, count + len(made)), len(given)))
        count += len(made)
    cells, cell_of = np.unique(np.concatenate(links), return_inverse=True)
    return Probabilities(sources, targets, cells, _em(cells, cell_of, np.concatenate(owners), count, rounds))


def _em(cells: Ints, cell_of: Ints, owner_of: Ints, count: int, rounds: int) -> npt.NDArray[np.float64]:
    """t(f|e) of each cell (e, f) that occurs, [C]."""
    given = cells >> 32
    chances = np.ones(len(cells))
    for _ in range(rounds):
        each = chances[cell_of]
        each /= np.bincount(owner_of, each, minlength=count)[owner_of]
        expected = np.bincount(cell_of, each, minlength=len(cells))
        chances = expected / np.bincount(given, expected)[given]
    return chances


def _best(cells: Ints, chances: npt.NDArray[np.float64]) -> dict[int, int]:
    """The likeliest target of each source; of equal ones that which was met first."""
    given, made = cells >> 32, cells & 0xFFFFFFFF
    order = np.lexsort((made, -chances, given))
    _, first = np.unique(given[order], return_index=True)
    return dict(zip(given[order][first].tolist(), made[order][first].tolist(), strict=True))


def _ids(text: str, known: dict[str, int]) -> list[int]:
    return [known.setdefault(word.core.casefold(), len(known)) for word in words(text) if word.core]
