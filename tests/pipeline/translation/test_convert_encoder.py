"""Sentence encoders of others become model folders whose vectors are the original's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.errors import InputError
from pipeline.translation.card import hash_files
from pipeline.translation.convert_encoder import convert_encoder, is_encoder
from pipeline.translation.encoder_card import EncoderCard, read_encoder_card
from tests.pipeline.translation import tiny_models

pytest.importorskip("ctranslate2")
pytest.importorskip("transformers")
SENTENCES = ["the river rose in the night", "der fluss stieg"]


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
@pytest.mark.parametrize("pooling", ["cls", "mean", "pooler"])
def test_vectors_are_those_of_the_original(tmp_path: Path, kind: str, pooling: Any) -> None:
    folder = tiny_models.encoder(tmp_path / "encoder", kind)
    assert is_encoder(folder)
    if (kind, pooling) == ("xlm-roberta", "pooler"):
        with pytest.raises(InputError, match="only BERT has one"):
            convert_encoder(folder, tmp_path / "out", pooling=pooling)
        return
    card = convert_encoder(folder, tmp_path / "out", pooling=pooling, quantisation="float32")
    assert card == read_encoder_card(tmp_path / "out")
    assert (card.architecture, card.pooling, card.dimension) == (kind, pooling, 16)
    assert card.max_tokens == (32 if kind == "bert" else 30)
    assert card.files == hash_files(tmp_path / "out")
    assert {"model.bin", "tokenizer.json", "vocabulary.json"} <= card.files.keys()
    np.testing.assert_allclose(vectors(tmp_path / "out", card), original(folder, pooling), atol=1e-5)


def vectors(folder: Path, card: EncoderCard) -> NDArray[np.float32]:
    """Vectors of the sentences by the converted model."""
    import ctranslate2
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    encoder = ctranslate2.Encoder(str(folder), device="cpu", compute_type="float32", intra_threads=1)
    ids = [tokenizer.encode(sentence).ids for sentence in SENTENCES]
    found = encoder.forward_batch(ids)
    if card.pooling == "pooler":
        return np.array(found.pooler_output)
    hidden = np.array(found.last_hidden_state)
    if card.pooling == "cls":
        return hidden[:, 0]
    return np.stack([hidden[row, : len(tokens)].mean(axis=0) for row, tokens in enumerate(ids)])


def original(folder: Path, pooling: str) -> NDArray[np.float32]:
    """The same by transformers, a sentence at a time."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model: Any = transformers.AutoModel.from_pretrained(folder).eval()
    rows = []
    for sentence in SENTENCES:
        with torch.no_grad():
            found = model(**tokenizer(sentence, return_tensors="pt"))
        pooled = {"cls": lambda f: f.last_hidden_state[0, 0], "mean": lambda f: f.last_hidden_state[0].mean(0)}
        rows.append((found.pooler_output[0] if pooling == "pooler" else pooled[pooling](found)).numpy())
    return np.stack(rows)


def sentence_transformers(folder: Path, mode: str, dense: dict[str, Any] | None = None) -> Path:
    """The settings that the library leaves beside a model."""
    (folder / "1_Pooling").mkdir()
    told = {
        "word_embedding_dimension": 16,
        f"pooling_mode_{mode}": True,
        "pooling_mode_max_tokens": mode == "max_tokens",
    }
    tiny_models.write_json(folder / "1_Pooling" / "config.json", told)
    if dense is not None:
        (folder / "2_Dense").mkdir()
        tiny_models.write_json(folder / "2_Dense" / "config.json", dense)
    return folder


def test_what_sentence_transformers_noted_is_taken(tmp_path: Path) -> None:
    said: list[str] = []
    plain = tiny_models.encoder(tmp_path / "plain", "bert")
    assert convert_encoder(plain, tmp_path / "one", say=said.append).pooling == "mean"
    assert "--pooling chooses" in said[0]
    noted = sentence_transformers(tiny_models.encoder(tmp_path / "noted", "bert"), "cls_token")
    assert convert_encoder(noted, tmp_path / "two").pooling == "cls"
    assert convert_encoder(noted, tmp_path / "three", pooling="mean").pooling == "mean"


def test_a_dense_layer_like_that_of_labse_becomes_the_pooler(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    tanh = {
        "in_features": 16,
        "out_features": 16,
        "bias": True,
        "activation_function": "torch.nn.modules.activation.Tanh",
    }
    folder = sentence_transformers(tiny_models.encoder(tmp_path / "labse", "bert"), "cls_token", tanh)
    with pytest.raises(InputError, match=r"2_Dense has no model\.safetensors"):
        convert_encoder(folder, tmp_path / "out")
    random = np.random.default_rng(7)
    weight, bias = (random.standard_normal(shape).astype(np.float32) for shape in ((16, 16), (16,)))
    save_file({"linear.weight": weight, "linear.bias": bias}, folder / "2_Dense" / "model.safetensors")
    card = convert_encoder(folder, tmp_path / "out", quantisation="float32")
    assert card.pooling == "pooler"
    expected = np.tanh(original(folder, "cls") @ weight.T + bias)
    np.testing.assert_allclose(vectors(tmp_path / "out", card), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("mode", "dense", "message"),
    [
        ("max_tokens", None, "joins the vectors of tokens by pooling_mode_max_tokens"),
        ("mean_tokens", {"in_features": 16, "out_features": 8, "activation_function": "x.Tanh"}, "dense layer"),
        ("cls_token", {"in_features": 16, "out_features": 16, "activation_function": "x.Identity"}, "dense layer"),
    ],
)
def test_vectors_that_would_differ_are_refused(tmp_path: Path, mode: str, dense: Any, message: str) -> None:
    folder = sentence_transformers(tiny_models.encoder(tmp_path / "it", "bert"), mode, dense)
    with pytest.raises(InputError, match=message):
        convert_encoder(folder, tmp_path / "out")


def test_weights_that_are_missing_are_not_made_up(tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = tiny_models.encoder(tmp_path / "it", "bert")
    weights = load_file(folder / "model.safetensors")
    without_pooler = {name: array for name, array in weights.items() if "pooler" not in name}
    save_file(without_pooler, folder / "model.safetensors", metadata={"format": "pt"})
    assert convert_encoder(folder, tmp_path / "mean").pooling == "mean"
    with pytest.raises(InputError, match=r"lacks 2 weights.*pooler\.dense\.bias.*--pooling cls or mean"):
        convert_encoder(folder, tmp_path / "pooler", pooling="pooler")
    del without_pooler["encoder.layer.0.output.dense.weight"]
    save_file(without_pooler, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"such as encoder\.layer\.0\.output\.dense\.weight"):
        convert_encoder(folder, tmp_path / "broken")


def test_a_translation_model_is_no_encoder(tmp_path: Path) -> None:
    folder = tiny_models.marian(tmp_path / "marian")
    assert not is_encoder(folder)
    with pytest.raises(InputError, match="model_type 'marian'"):
        convert_encoder(folder, tmp_path / "out")
