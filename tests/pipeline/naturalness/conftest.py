"""Text of a small language, and of one that has its words in another order."""

from __future__ import annotations

import pytest

from corpus.hashing import stable_hash

_SYLLABLES = ["ka", "lo", "mi", "ru", "te", "no", "va", "si", "bu", "pe", "da", "go", "fi", "wu", "ze"]
NOUNS = [first + second + "n" for first in _SYLLABLES for second in _SYLLABLES]
VERBS = ["sees", "finds", "calls", "likes", "follows", "leaves", "hears", "wants"]
PLACES = ["in the morning", "by the sea", "with a smile", "after the rain", "at home"]


def sentence(*key: object) -> str:
    """A sentence chosen by hash: "The mikan sees a loven by the sea." """

    def one(words: list[str], place: str) -> str:
        return words[stable_hash(place, *key) % len(words)]

    first, second = one(NOUNS, "subject"), one(NOUNS, "object")
    return f"The {first} {one(VERBS, 'verb')} a {second} {one(PLACES, 'where')}."


def document(number: int, kind: str = "natural", sentences: int = 12) -> str:
    """Some sentences."""
    return " ".join(sentence(kind, number, place) for place in range(sentences))


def backwards(text: str) -> str:
    """Every sentence with its words from the last to the first."""
    return " ".join(" ".join(reversed(one.strip().split())) + "." for one in text.split(".") if one.strip())


@pytest.fixture(scope="session")
def natural() -> list[str]:
    """Eighty documents."""
    return [document(number) for number in range(80)]


@pytest.fixture(scope="session")
def alike() -> list[str]:
    """Forty more of the same kind."""
    return [document(number, "alike") for number in range(40)]


@pytest.fixture(scope="session")
def reversed_text() -> list[str]:
    """Forty documents with the words in another order."""
    return [backwards(document(number, "reversed")) for number in range(40)]
