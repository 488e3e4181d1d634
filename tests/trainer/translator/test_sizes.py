from __future__ import annotations

import pytest
from pydantic import ValidationError

from corpus.errors import ConfigurationError
from corpus.translations import SentencePair
from trainer.translator.config import TranslatorConfig, TranslatorModelConfig, parse_direction
from trainer.translator.schedule import share
from trainer.translator.size import Shape, shape_of, vocabulary_size, words_of


def test_size_goes_by_the_words() -> None:
    auto = TranslatorModelConfig()
    assert shape_of(auto, 99_999).dimensions == 128
    assert shape_of(auto, 100_000) == Shape(256, 1024, 3, 3, 4)
    assert shape_of(auto, 5_000_000).encoder_layers == 6
    assert shape_of(TranslatorModelConfig(size="tiny"), 5_000_000).dimensions == 128
    own = TranslatorModelConfig(size="tiny", dimensions=320, decoder_layers=1)
    assert shape_of(own, 0) == Shape(320, 1280, 2, 1, 5)


def test_heads_divide_the_dimensions() -> None:
    with pytest.raises(ConfigurationError, match="5 heads do not divide 128"):
        shape_of(TranslatorModelConfig(heads=5), 0)
    with pytest.raises(ValidationError, match="5 heads do not divide 64"):
        TranslatorModelConfig(dimensions=64, heads=5)


def test_vocabulary_goes_by_words_and_letters() -> None:
    assert vocabulary_size(1_000, 30) == 500
    assert vocabulary_size(760_000, 30) == 7_600
    assert vocabulary_size(10**9, 30) == 32_000
    assert vocabulary_size(1_000, 3_000) == 3_064
    assert words_of([SentencePair("eng_Latn", "jpn_Jpan", "one two", "あ" * 48)]) == 4


def test_directions() -> None:
    assert TranslatorConfig(pairs=("en-sw", "eng_Latn-swh_Latn", "swh-eng")).directions == (
        ("eng_Latn", "swh_Latn"),
        ("swh_Latn", "eng_Latn"),
    )
    for wrong in ("eng_Latn", "eng-eng_Latn", "eng-nonsense"):
        with pytest.raises(ValueError):
            parse_direction(wrong)


def test_the_learning_rate_rises_and_falls() -> None:
    assert [share("inverse_sqrt", step, 100, 0.04) for step in (0, 1, 3, 15, 63)] == [0.25, 0.5, 1.0, 0.5, 0.25]
    assert [round(share("cosine", step, 104, 4 / 104), 3) for step in (0, 3, 4, 54, 103)] == [0.25, 1, 1, 0.5, 0.0]
    assert share("cosine", 0, 1, 0.0) == 1
