from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigurationError
from pipeline.tokenizer.config import TokenizerConfig
from pipeline.tokenizer.extend import entry, extend
from pipeline.tokenizer.model import SPACE, Tokenizer
from pipeline.tokenizer.train import train

ENGLISH = ["the cat sat on the mat and the dog ran to the old house near the hill"] * 40
GREEK = ["η γάτα κάθισε στο χαλί", "ο σκύλος έτρεξε στο παλιό σπίτι", "η βροχή έπεσε στο λόφο"] * 40
MODEL = train(lambda: ENGLISH, TokenizerConfig(vocabulary=320))
EXTENDED = extend(MODEL, lambda: GREEK, 30, size=340)


def test_old_ids_stay_and_new_ones_follow() -> None:
    old, new = Tokenizer(MODEL), Tokenizer(EXTENDED.model)
    assert new.vocabulary == old.vocabulary + len(EXTENDED.pieces)
    assert 0 < len(EXTENDED.pieces) <= 30
    assert [new.piece(token) for token in range(old.vocabulary)] == [
        old.piece(token) for token in range(old.vocabulary)
    ]
    assert [new.piece(old.vocabulary + number) for number in range(len(EXTENDED.pieces))] == EXTENDED.pieces
    assert new.special == old.special


def test_the_new_language_takes_fewer_pieces_and_comes_back_whole() -> None:
    old, new = Tokenizer(MODEL), Tokenizer(EXTENDED.model)
    text = GREEK[0]
    assert len(new.encode(text)) < 0.6 * len(old.encode(text))
    assert new.decode(new.encode(text)) == text


def test_each_new_piece_names_the_old_ones_it_stands_for() -> None:
    old = Tokenizer(MODEL)
    for piece, replaced in zip(EXTENDED.pieces, EXTENDED.replaced, strict=True):
        assert old.decode(replaced) == piece.replace(SPACE, " ")
        assert len(replaced) > 1


def test_the_pieces_that_save_most_come_first() -> None:
    few = extend(MODEL, lambda: GREEK, 5, size=340)
    assert few.pieces == EXTENDED.pieces[:5]


def test_text_without_anything_new_is_refused() -> None:
    large = train(lambda: ENGLISH, TokenizerConfig(vocabulary=100_000))
    with pytest.raises(ConfigurationError, match="has all pieces"):
        extend(large, lambda: ENGLISH, 10, size=300)


@given(st.text(max_size=40))
def test_any_text_survives_the_extended_model(text: str) -> None:
    text = text.replace("\x00", "")
    new = Tokenizer(EXTENDED.model)
    assert new.decode(new.encode(text)) == text


def test_entries_are_written_as_protocol_buffers() -> None:
    assert entry("ab", -1.5) == b"\x0a\x09\x0a\x02ab\x15\x00\x00\xc0\xbf"
    assert entry("a" * 200, 0.0)[:7] == b"\x0a\xd0\x01\x0a\xc8\x01a"  # lengths above 127 take two bytes
