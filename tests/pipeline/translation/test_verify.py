"""What is wrong with a model folder, and whether its model says anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.translation.card import ModelCard, hash_files, write_card
from pipeline.translation.convert import convert
from pipeline.translation.convert_encoder import convert_encoder
from pipeline.translation.verify import file_problems, verify
from tests.pipeline.translation import tiny_models

pytest.importorskip("ctranslate2")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sources")
    tiny_models.marian(root / "en-de")
    tiny_models.encoder(root / "xlmr", "xlm-roberta")
    return root


def test_a_whole_model_translates(sources: Path, tmp_path: Path) -> None:
    convert(sources / "en-de", tmp_path / "it")
    assert verify(tmp_path / "it").tried is None
    found = verify(tmp_path / "it", load=True, text="the river rose")
    assert (found.files, found.problems) == (6, ())
    assert found.tried is not None
    assert (found.tried.source, found.tried.target) == ("eng_Latn", "deu_Latn")
    assert found.tried.score is not None
    assert found.tried.score < 0


def test_an_encoder_gives_a_vector(sources: Path, tmp_path: Path) -> None:
    card = convert_encoder(sources / "xlmr", tmp_path / "it")
    assert verify(tmp_path / "it", load=True).problems == ()
    (tmp_path / "it" / "evenglot-model.json").write_text(
        card.model_copy(update={"dimension": 8}).model_dump_json(), encoding="utf-8"
    )
    assert "gives vectors of 16 numbers" in verify(tmp_path / "it", load=True).problems[0]


def test_each_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    files = hash_files(tmp_path)
    (tmp_path / "a").write_text("changed")
    (tmp_path / "b").unlink()
    assert file_problems(tmp_path, {**files, "../c": "0"}) == [
        f"the card of {tmp_path} names '../c', which is no file of the folder",
        f"{tmp_path / 'a'} is not the file that the card was written for",
        f"{tmp_path / 'b'} is missing",
    ]
    assert file_problems(tmp_path, {}) == [f"the card of {tmp_path} lists no files"]


def test_weights_that_are_none_are_a_problem_not_a_crash(sources: Path, tmp_path: Path) -> None:
    card = convert(sources / "en-de", tmp_path / "it")
    (tmp_path / "it" / "model.bin").write_bytes(b"\x06\0\0\0 no weights at all")
    assert "is not the file" in verify(tmp_path / "it", load=True).problems[0]
    write_card(tmp_path / "it", card.model_copy(update={"files": hash_files(tmp_path / "it")}))
    (problem,) = verify(tmp_path / "it", load=True).problems
    assert "cannot be" in problem or "does not" in problem


def test_a_folder_without_a_card_is_said(tmp_path: Path) -> None:
    assert "it has no evenglot-model.json" in verify(tmp_path).problems[0]


def test_a_sentence_that_is_too_long_is_a_problem(sources: Path, tmp_path: Path) -> None:
    card: ModelCard = convert(sources / "en-de", tmp_path / "it")
    (problem,) = verify(tmp_path / "it", load=True, text="the river rose in the night " * 20).problems
    assert problem.endswith("does not translate from eng_Latn to deu_Latn: too_long")
    assert card.max_positions == 64
