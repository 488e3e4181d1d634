from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import InputError
from corpus.translations import SentencePair
from tests.trainer.translator.conftest import reversed_words
from trainer.translator.vocabulary import Vocabulary, target_token, train_vocabulary


def test_ids_are_laid_out_as_in_a_marian_model() -> None:
    pairs = [*reversed_words(60), *reversed_words(60, "nld_Latn", "en")]
    vocabulary = train_vocabulary(pairs, 50)
    assert vocabulary.tokens[:2] == ["</s>", "<unk>"]
    assert vocabulary.tokens[-3:] == [">>afr<<", ">>nld<<", "<pad>"]
    assert vocabulary.pad == len(vocabulary) - 1


def test_the_target_is_asked_for_only_where_there_are_several() -> None:
    one = train_vocabulary(reversed_words(60), 50)
    assert not [token for token in one.tokens if token.startswith(">>")]
    assert one.encode(["the dog"], "afr_Latn")[0].tolist() == one.encode(["the dog"])[0].tolist()
    two = train_vocabulary([*reversed_words(60), *reversed_words(60, "nld_Latn")], 50)
    begun = two.encode(["the dog"], "nld_Latn")[0].tolist()
    assert begun == [two.ids[">>nld<<"], *two.encode(["the dog"])[0].tolist()]
    assert begun[-1] == 0


def test_text_comes_back_and_unknown_letters_do_not() -> None:
    vocabulary = train_vocabulary(reversed_words(60), 50)
    ids = vocabulary.encode(["the old horse", "the дом"])
    assert vocabulary.decode(ids[0].tolist()) == "the old horse"
    assert 1 in ids[1].tolist()
    assert vocabulary.decode(ids[1].tolist()) == "the"


def test_written_and_read_again(tmp_path: Path) -> None:
    made = train_vocabulary(reversed_words(60), 50)
    made.write(tmp_path)
    read = Vocabulary.read(tmp_path)
    assert (read.ids, read.model) == (made.ids, made.model)
    (tmp_path / "vocab.json").write_text("[")
    with pytest.raises(InputError, match="holds no vocabulary"):
        Vocabulary.read(tmp_path)


def test_the_same_pairs_give_the_same_vocabulary() -> None:
    first, second = train_vocabulary(reversed_words(60), 50), train_vocabulary(reversed_words(60), 50)
    assert first.model == second.model


def test_too_few_pieces_for_the_letters() -> None:
    pairs = [SentencePair("eng_Latn", "zho_Hans", "a b c", "".join(chr(0x4E00 + n) for n in range(200)))] * 2
    with pytest.raises(InputError, match="no vocabulary of 40 pieces"):
        train_vocabulary(pairs, 40)


def test_target_tokens_name_unusual_scripts() -> None:
    assert target_token("swh_Latn") == ">>swh<<"
    assert target_token("srp_Latn") == ">>srp_Latn<<"
