"""Model cards are written, read, checked, and say clearly what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import ConfigurationError, InputError
from pipeline.translation.card import CARD_NAME, ModelCard, check_files, hash_files, read_card, write_card

CARD = ModelCard(
    name="opus", family="marian", revision="r1", pairs=(("swh_Latn", "eng_Latn"), ("eng_Latn", "swh_Latn"))
)


def test_a_card_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_card(tmp_path, CARD)
    assert read_card(tmp_path) == CARD
    assert CARD.generator == "opus@r1"
    assert CARD.directions() == [("eng_Latn", "swh_Latn"), ("swh_Latn", "eng_Latn")]


def test_languages_stand_for_all_directions_among_them() -> None:
    card = ModelCard(
        name="m", family="nllb", revision="1", languages=("swh_Latn", "hau_Latn"),
        codes={"swh_Latn": "swh_Latn", "hau_Latn": "hau_Latn"},
    )  # fmt: skip
    assert card.directions() == [("hau_Latn", "swh_Latn"), ("swh_Latn", "hau_Latn")]
    assert card.serves("hau_Latn", "swh_Latn")
    assert not card.serves("hau_Latn", "hau_Latn")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "card: Invalid JSON"),
        ('{"name": "a", "family": "marian", "revision": "1"}', "give either `pairs`, or `languages`"),
        ('{"name": "a", "family": "bert", "revision": "1", "pairs": []}', "family: Input should be"),
        ('{"name": "a", "family": "nllb", "revision": "1", "languages": ["swh_Latn", "hau_Latn"]}', "own code of hau"),
        ('{"name": "a", "family": "marian", "revision": "1", "pairs": [["en", "sw"]]}', "'en' is no language tag"),
        ('{"name": "a > b", "family": "marian", "revision": "1", "languages": ["eng_Latn"]}', "name: String should"),
    ],
)
def test_a_wrong_card_is_named_with_its_field(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / CARD_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_card(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert said in str(caught.value)


def test_a_folder_without_a_card_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no model folder"):
        read_card(tmp_path)


def test_a_changed_or_missing_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / ".hidden").write_bytes(b"x")
    card = CARD.model_copy(update={"files": hash_files(tmp_path)})
    write_card(tmp_path, card)
    assert list(card.files) == ["model.bin"]
    check_files(tmp_path, card)
    (tmp_path / "model.bin").write_bytes(b"Weights")
    with pytest.raises(InputError, match="is not the file"):
        check_files(tmp_path, card)
    (tmp_path / "model.bin").unlink()
    with pytest.raises(InputError, match="is missing"):
        check_files(tmp_path, card)


def test_what_a_model_makes_is_filed_under_its_files_and_codes_not_its_name() -> None:
    files = {"model.bin": "00"}
    card = CARD.model_copy(update={"files": files})
    assert card.identity == card.model_copy(update={"name": "other", "licence": "MIT"}).identity
    assert card.identity != card.model_copy(update={"files": {"model.bin": "01"}}).identity
    assert card.identity != card.model_copy(update={"codes": {"swh_Latn": "swh"}}).identity
