"""A made-up language that turns words round, and the smallest model that learns it."""

from __future__ import annotations

import pytest

from corpus.hashing import stable_hash
from corpus.translations import SentencePair
from trainer.translator.config import TranslatorConfig

WORDS = ("the", "a", "big", "small", "red", "old", "dog", "cat", "horse", "river", "house", "sees", "finds", "eats")


def reversed_words(count: int, target: str = "afr_Latn", ending: str = "o") -> list[SentencePair]:
    """Different sentences of two to five words, and each word turned round with an ending."""
    found: dict[SentencePair, None] = {}
    number = 0
    while len(found) < count:
        number += 1
        size = 2 + stable_hash("size", number) % 4
        words = [WORDS[stable_hash(place, number) % len(WORDS)] for place in range(size)]
        text = " ".join(words)
        found[SentencePair("eng_Latn", target, text, " ".join(word[::-1] + ending for word in words))] = None
    return list(found)


@pytest.fixture
def config() -> TranslatorConfig:
    return TranslatorConfig.model_validate(
        {
            "vocabulary": 60,
            "model": {"dimensions": 32, "encoder_layers": 1, "decoder_layers": 1, "positions": 48, "dropout": 0.1},
            "steps": 30,
            "batch_tokens": 512,
            "learning_rate": 0.01,
            "evaluate_every": 10,
            "checkpoint_every": 10,
            "threads": 1,
        }
    )
