"""Sources read through a lexicon: the model is given them word by word in the target language, and mends that.

Translating in two steps, a lexicon's rough words and a model that makes sentences of them (Pourdamghani et al. 2019,
*Translating Translationese*, https://aclanthology.org/P19-1293/), leaves the model what it can learn from little text:
both sides are one language, so that it may copy what it does not know better. The lexicon goes with the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from corpus.hashing import stable_hash
from corpus.lexicon import Lexicon, Lexicons
from corpus.translations import SentencePair
from trainer.translator.lexicon import learn

_FOLDS: Final = 5


def through(pairs: Sequence[SentencePair], known: Lexicons) -> list[SentencePair]:
    """Pairs with their sources as the lexicons of their directions have them."""
    return [pair._replace(text=known[pair.direction].translate(pair.text)) for pair in pairs]


def cross_glossed(pairs: Sequence[SentencePair], seed: int = 0) -> list[SentencePair]:
    """Training pairs with their sources through lexicons of the other pairs, in five folds by hash.

    A lexicon that has seen a sentence has words that it met nowhere else, always in its own translation: the model
    would learn to trust such words, which later are the wrong ones.

    Args:
        pairs: to train on; where a fold leaves no others, its own lexicon is taken.
        seed: of the folds.
    """
    folds = [stable_hash("fold", pair.text, pair.translation, seed=seed) % _FOLDS for pair in pairs]
    known: dict[tuple[tuple[str, str], int], Lexicon] = {}
    for direction in sorted({pair.direction for pair in pairs}):
        own = [(fold, pair) for fold, pair in zip(folds, pairs, strict=True) if pair.direction == direction]
        for number in sorted({fold for fold, _ in own}):
            others = [pair for fold, pair in own if fold != number] or [pair for _, pair in own]
            known[direction, number] = learn((pair.text, pair.translation) for pair in others)
    return [
        pair._replace(text=known[pair.direction, fold].translate(pair.text))
        for fold, pair in zip(folds, pairs, strict=True)
    ]
