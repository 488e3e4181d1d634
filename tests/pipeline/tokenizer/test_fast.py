"""Tokenizers of Hugging Face models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from corpus.errors import ConfigurationError, CorpusError, InputError
from corpus.shards import read_table
from pipeline.tokenizer import TokenizerConfig, load_tokenizer, tokenize_corpus
from pipeline.tokenizer.fast import FastTokenizer, packed, special_ids
from pipeline.tokenizer.model import open_tokenizer

TEXTS = ["The cat sat on the mat.", "Paka alikaa kwenye mkeka.", "Η γάτα κάθισε στο χαλί."]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a model whose tokenizer spells text in bytes and joins the most frequent pairs."""
    inner = tokenizers.Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<s>", "<pad>", "</s>", "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    inner.train_from_iterator(TEXTS, trainer)
    inner.enable_truncation(4)
    inner.save(str(tmp_path / "tokenizer.json"))
    named = {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": "<pad>", "mask_token": "<mask>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(named))
    return tmp_path


def test_documents_end_with_the_token_of_the_model(folder: Path) -> None:
    tokenizer = FastTokenizer(packed(str(folder)))
    tokens, offsets = tokenizer.encode_documents([TEXTS[0], "", TEXTS[2]])
    assert tokens.dtype == np.uint32
    assert tokenizer.special == {"bos": 0, "pad": 1, "eos": 2, "mask": 3}
    assert tokens[offsets[1:] - 1].tolist() == [2, 2, 2]
    assert tokens[: offsets[1] - 1].tolist() == tokenizer.encode(TEXTS[0])
    assert offsets[2] - offsets[1] == 1
    assert tokenizer.decode(tokens[offsets[2] :]) == TEXTS[2]
    assert len(tokenizer.encode(TEXTS[0])) > 4  # the file's truncation is not used


def test_text_never_encodes_to_special_tokens(folder: Path) -> None:
    tokenizer = FastTokenizer(packed(str(folder)))
    ids = tokenizer.encode("a <mask> and </s> <s>")
    assert not {0, 1, 2, 3} & set(ids)
    assert tokenizer.decode(ids) == "a <mask> and </s> <s>"


def test_vocabulary_counts_to_the_largest_id(folder: Path) -> None:
    tokenizer = open_tokenizer(packed(str(folder / "tokenizer.json")))
    inner = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert tokenizer.vocabulary == inner.get_vocab_size()
    assert tokenizer.piece(3) == "<mask>"


@pytest.mark.parametrize(
    ("vocabulary", "named", "expected"),
    [
        ({"<|endoftext|>": 50256}, {"eos_token": "<|endoftext|>"}, {"bos": 50256, "eos": 50256, "pad": 50256}),
        (
            {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103},
            {},
            {"bos": 101, "eos": 102, "pad": 0, "unk": 100, "mask": 103},
        ),
        (
            {"a": 0, "b": 1, "<s>": 2},
            {"cls_token": "a", "sep_token": {"content": "b"}, "pad_token": "gone"},
            {"bos": 0, "eos": 1},
        ),
    ],
)
def test_parts_are_found_by_the_files_and_then_by_usual_spellings(
    vocabulary: dict[str, int], named: dict[str, object], expected: dict[str, int]
) -> None:
    assert special_ids(vocabulary, named) == expected


def test_missing_files_and_parts_are_one_line(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match=r"has no tokenizer\.json"):
        packed(str(tmp_path / ".."))
    with pytest.raises(InputError, match="there is no /nowhere/model"):
        packed("/nowhere/model")
    (folder / "tokenizer_config.json").write_text("[]")
    with pytest.raises(InputError, match="holds no JSON object"):
        packed(str(folder))
    (folder / "tokenizer_config.json").unlink()
    content = json.loads((folder / "tokenizer.json").read_text())
    content["added_tokens"] = []
    content["model"]["vocab"] = {"a": 0, "b": 1}
    content["model"]["merges"] = []
    (folder / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match="names no token for: bos, eos, pad"):
        packed(str(folder))
    with pytest.raises(CorpusError, match="damaged"):
        FastTokenizer(b'{"special": {}}')


def test_settings_of_training_beside_a_source_are_refused() -> None:
    with pytest.raises(ValueError, match="`vocabulary` is given beside `source`"):
        TokenizerConfig.model_validate({"source": "x", "vocabulary": 500})
    with pytest.raises(ValueError, match="`revision` belongs to a `source`"):
        TokenizerConfig.model_validate({"revision": "main"})


def test_a_corpus_takes_the_tokens_of_a_model(write_corpus: Any, tmp_path: Path, folder: Path) -> None:
    root = write_corpus(tmp_path / "corpus", {"eng_Latn": TEXTS[:1], "ell_Grek": TEXTS[2:]}, {"eng_Latn": TEXTS[:1]})
    config = TokenizerConfig(name="model", source=str(folder))
    snapshot = tokenize_corpus(root, config)
    described = snapshot.tokenizers["model"]
    assert (described["kind"], described["special"]) == ("tokenizers", {"bos": 0, "pad": 1, "eos": 2, "mask": 3})
    assert not [warning for warning in snapshot.warnings if "pieces instead of" in warning]
    tokenizer = load_tokenizer(root, snapshot, "model")
    assert tokenizer.vocabulary == described["vocabulary"]
    shard = snapshot.select("tokens", lang="ell_Grek")[0]
    assert read_table(Path(root) / shard.path)["tokens"].to_pylist() == [[*tokenizer.encode(TEXTS[2]), 2]]

    # The same files give the same snapshot; it needs another name when the tokenizer is another one.
    assert tokenize_corpus(root, config).number == snapshot.number
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "</s>"}))
    with pytest.raises(ConfigurationError, match="another tokenizer named 'model'"):
        tokenize_corpus(root, config)
