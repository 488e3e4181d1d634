"""Releases of OPUS-MT in Marian's own format: no torch, no transformers, the same model."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import InputError
from pipeline.translation.config import TranslationConfig
from pipeline.translation.convert import convert
from pipeline.translation.decoding import Decoding
from pipeline.translation.engine import Engine
from tests.pipeline.translation import tiny_models

pytest.importorskip("ctranslate2")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.marian(tmp_path_factory.mktemp("hub") / "opus-mt-en-de")


@pytest.fixture
def release(tmp_path: Path, original: Path) -> Path:
    return tiny_models.opus_release(tmp_path / "eng-deu", original)


def test_a_release_translates_as_the_same_weights_do(
    original: Path, release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert(original, tmp_path / "one", quantisation="float32")
    find = importlib.util.find_spec
    without = ("torch", "transformers")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in without else find(name))
    card = convert(release, tmp_path / "two", quantisation="float32")
    assert (card.name, card.family, card.pairs, card.codes) == ("eng-deu", "marian", (("eng_Latn", "deu_Latn"),), {})
    # Positions are computed, not stored, and there is no <pad>.
    assert (card.parameters, card.max_positions) == (8_272 - 2 * 64 * 16 - 16 + 40, 512)
    found = []
    for name in ("one", "two"):
        engine = Engine(TranslationConfig(models=(str(tmp_path / name),), device="cpu", compute_type="float32"))
        route = engine.routes.find("eng_Latn", "deu_Latn")
        found.append(engine.translate(["the river rose", "the night"], route, Decoding(max_length_ratio=1.0)))
    assert [one.text for one in found[0]] == [one.text for one in found[1]]
    assert [one.score for one in found[0]] == pytest.approx([one.score for one in found[1]], abs=1e-4)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "opus.vocab.yml").unlink(), "names opus.vocab.yml, which is no file in the folder"),
        (lambda folder: (folder / "decoder.yml").write_text("models: [../opus.npz]\nvocabs: [a]"), r"names \.\./opus"),
        (lambda folder: (folder / "decoder.yml").write_text("vocabs: [a]"), "decoder.yml cannot be read"),
        (lambda folder: (folder / "decoder.yml").write_text("models: [opus.npz]\nvocabs: []"), "no model with its"),
        (lambda folder: (folder / "opus.npz").write_bytes(b"PK"), "cannot be converted"),
        (lambda folder: (folder / "README.md").unlink(), "no file of .* says the source language"),
    ],
)
def test_broken_releases_say_what_is_wrong(release: Path, tmp_path: Path, spoil: Any, message: str) -> None:
    spoil(release)
    with pytest.raises(InputError, match=message):
        convert(release, tmp_path / "out")
    assert not (tmp_path / "out").exists()
