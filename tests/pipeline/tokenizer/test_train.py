"""Learning a vocabulary."""

from __future__ import annotations

import pytest

from corpus.errors import ConfigurationError, CorpusError
from pipeline.tokenizer.config import TokenizerConfig
from pipeline.tokenizer.model import Tokenizer
from pipeline.tokenizer.train import train

LINES = ["a rose is a rose is a rose", "and a river is a river", "the rain in the plain"] * 2


def test_the_same_lines_give_the_same_bytes() -> None:
    config = TokenizerConfig(vocabulary=300)
    assert train(lambda: LINES, config) == train(lambda: iter(LINES), config)


def test_a_vocabulary_too_large_shrinks_to_the_largest_possible() -> None:
    model = Tokenizer(train(lambda: LINES, TokenizerConfig(vocabulary=5000)))
    assert 280 < model.vocabulary < 400
    assert model.decode(model.encode("a rose")) == "a rose"


def test_a_vocabulary_too_large_is_an_error_when_it_may_not_shrink() -> None:
    with pytest.raises(ConfigurationError, match=r"vocabulary is 5,000, .* supports (\d+) pieces.* to \1 or less"):
        train(lambda: LINES, TokenizerConfig(vocabulary=5000, shrink=False))


def test_a_vocabulary_too_small_for_the_characters_names_the_smallest() -> None:
    lines = ["".join(chr(0x4E00 + number) for number in range(600))] * 3
    with pytest.raises(ConfigurationError, match=r"vocabulary is 300, .* need 86\d pieces.*character_coverage"):
        train(lambda: lines, TokenizerConfig(vocabulary=300, character_coverage=1.0))


def test_nothing_to_learn_from() -> None:
    with pytest.raises(CorpusError, match="no characters"):
        train(lambda: ["", "  "], TokenizerConfig())
