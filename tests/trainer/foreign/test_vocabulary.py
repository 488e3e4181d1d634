from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import ConfigurationError
from corpus.hashing import fingerprint
from trainer.config import ModelConfig
from trainer.foreign.vocabulary import check_vocabulary


@pytest.fixture
def base(tmp_path: Path) -> Path:
    content = {"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    return tmp_path


def test_the_same_vocabulary_is_taken(base: Path) -> None:
    described = {"vocabulary": 2, "vocabulary_hash": fingerprint({"b": 1, "a": 0})}
    check_vocabulary(ModelConfig(base=str(base)), described, "bpe")


@pytest.mark.parametrize(
    "described",
    [
        {"kind": "tokenizers", "vocabulary": 2, "vocabulary_hash": fingerprint({"b": 0, "a": 1})},
        {"kind": "sentencepiece unigram", "vocabulary": 2},
    ],
)
def test_another_vocabulary_is_refused_with_the_way_out(base: Path, described: Mapping[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"tokenizer 'spm' of the corpus .* has another vocabulary") as caught:
        check_vocabulary(ModelConfig(base=str(base)), described, "spm")
    assert caught.value.fix is not None
    assert f"evenglot tokenize --source {base} --name NAME" in caught.value.fix


def test_a_base_without_a_tokenizer_is_compared_by_size_alone(tmp_path: Path) -> None:
    check_vocabulary(ModelConfig(base=str(tmp_path)), {"vocabulary": 2}, "spm")
