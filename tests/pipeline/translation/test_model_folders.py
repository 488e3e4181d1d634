"""The folder of models: where it is, what lies in it, and what is deleted from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import ConfigurationError, InputError
from pipeline.translation.card import ModelCard, write_card
from pipeline.translation.encoder_card import EncoderCard, write_encoder_card
from pipeline.translation.model_folders import (
    found,
    installed,
    is_state_of,
    kind_of,
    model_folder,
    models_folder,
    remove,
    translators,
)

CARD = ModelCard(name="en-sw", family="marian", source="me/en-sw", revision="abc", pairs=(("eng_Latn", "swh_Latn"),))
ENCODER = EncoderCard(
    name="labse", architecture="bert", revision="abc", pooling="cls", dimension=16, max_tokens=32, licence="MIT"
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A translation model, an encoder, a card that is damaged, and things that are no models."""
    folder = tmp_path / "models"
    for name in ("en-sw", "labse", "broken", ".downloads", "other"):
        (folder / name).mkdir(parents=True)
    write_card(folder / "en-sw", CARD)
    (folder / "en-sw" / "model.bin").write_bytes(b"12345")
    write_encoder_card(folder / "labse", ENCODER)
    (folder / "broken" / "evenglot-model.json").write_text("{")
    (folder / "notes.txt").touch()
    monkeypatch.setenv("EVENGLOT_MODELS", str(folder))
    return folder


def test_the_folder_is_as_given_or_the_variable_or_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENGLOT_MODELS", str(tmp_path / "variable"))
    assert models_folder(tmp_path / "given") == tmp_path / "given"
    assert models_folder() == tmp_path / "variable"
    monkeypatch.setenv("EVENGLOT_MODELS", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert models_folder() == tmp_path / "cache" / "evenglot" / "models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert models_folder() == tmp_path / ".cache" / "evenglot" / "models"


def test_every_model_is_listed_with_its_kind(root: Path) -> None:
    broken, translator, encoder = installed(root)
    assert (broken.kind, broken.card) == (None, None)
    assert "Mend the card" in str(broken.problem)
    assert (translator.kind, translator.card, translator.problem) == ("translation", CARD, None)
    assert translator.size == 5 + (root / "en-sw" / "evenglot-model.json").stat().st_size
    assert (encoder.kind, encoder.card) == ("encoder", ENCODER)
    assert translators([broken, translator, encoder]) == [CARD]
    assert installed(root / "none") == []
    with pytest.raises(InputError, match=r"it has no evenglot-model\.json"):
        kind_of(root / "other")


def test_models_are_found_by_name_and_by_path(root: Path, tmp_path: Path) -> None:
    assert found(root, "en-sw") == found(tmp_path, str(root / "en-sw")) == root / "en-sw"
    with pytest.raises(InputError, match=r"there is no model 'sw-en' in .*It holds broken, en-sw, labse"):
        found(root, "sw-en")
    assert model_folder("en-sw") == root / "en-sw"
    assert model_folder(str(root / "labse")) == root / "labse"
    assert model_folder("none") == Path("none")
    assert model_folder("models/en-sw") == Path("models/en-sw")


def test_a_folder_of_that_name_here_wins(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "en-sw").mkdir()
    assert model_folder("en-sw") == root / "en-sw"
    write_card(tmp_path / "en-sw", CARD)
    assert model_folder("en-sw") == Path("en-sw")


def test_states_of_a_hub_id(root: Path) -> None:
    assert is_state_of(root / "en-sw", "me/en-sw", None)
    assert is_state_of(root / "en-sw", "me/en-sw", "abc")
    assert not is_state_of(root / "en-sw", "me/en-sw", "abd")
    assert not is_state_of(root / "en-sw", "you/en-sw", None)
    assert not is_state_of(root / "broken", "me/en-sw", None)
    assert not is_state_of(root / "none", "me/en-sw", None)


def test_only_models_in_the_folder_are_deleted(root: Path, tmp_path: Path) -> None:
    assert remove(root, "en-sw") == root / "en-sw"
    assert sorted(path.name for path in root.iterdir()) == [".downloads", "broken", "labse", "notes.txt", "other"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_card(elsewhere, CARD)
    (root / "linked").symlink_to(elsewhere)
    for name in (str(elsewhere), "linked", "../elsewhere"):
        with pytest.raises(ConfigurationError, match="Delete it yourself"):
            remove(root, name)
    with pytest.raises(InputError, match="there is no model 'other'"):
        remove(root, "other")
    assert (elsewhere / "evenglot-model.json").is_file()
