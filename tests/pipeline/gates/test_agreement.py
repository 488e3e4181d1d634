from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from corpus.errors import InputError
from pipeline.gates.agreement import SentenceEncoder
from pipeline.translation.config import TranslationConfig
from pipeline.translation.convert_encoder import convert_encoder
from tests.pipeline.translation import tiny_models

pytest.importorskip("ctranslate2")
pytest.importorskip("transformers")

SENTENCES = ["the river rose in the night", "der fluss stieg", "", "the river", "the river rose in the night"]
CONFIG = TranslationConfig(device="cpu", compute_type="float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("encoder")
    convert_encoder(tiny_models.encoder(base / "bert", "bert"), base / "out", pooling="mean", quantisation="float32")
    return base / "out"


def test_equal_sentences_have_equal_vectors_in_any_batch(folder: Path) -> None:
    encoder = SentenceEncoder(folder, CONFIG)
    found = encoder.embed(SENTENCES)
    assert found.shape == (5, 16)
    np.testing.assert_array_equal(found[0], found[4])
    np.testing.assert_array_equal(found[2], np.zeros(16))
    assert np.abs(found[0] - found[1]).max() > 0.01
    np.testing.assert_allclose(found[1], encoder.embed(SENTENCES[1:2])[0], atol=1e-6)


def test_what_is_too_long_is_cut(folder: Path) -> None:
    encoder = SentenceEncoder(folder, CONFIG)
    assert encoder.card.max_tokens == 32
    long = encoder.embed(["river " * 30, "river " * 500])
    np.testing.assert_array_equal(long[0], long[1])


def test_nothing_and_broken_text(folder: Path) -> None:
    encoder = SentenceEncoder(folder, CONFIG)
    assert encoder.embed([]).shape == (0, 16)
    assert encoder.embed(["a\ud800"]).shape == (1, 16)


def test_a_changed_file_is_told(folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="tokenizer"):
        SentenceEncoder(copy, CONFIG)
