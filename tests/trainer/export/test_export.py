"""Exported models against those they come from: the same logits, loaded by ``transformers`` alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import trainer
from corpus.errors import ConfigurationError, InputError
from sampler.config import SamplerConfig
from trainer.config import TrainConfig
from trainer.continual.trained import read_trained
from trainer.export.export import export
from trainer.loop import train
from trainer.model.language_model import Inputs, LanguageModel
from trainer.run.checkpoint import save

LANGUAGES = ["ell_Grek", "eng_Latn", "swh_Latn"]
SMALL = {"width": 16, "layers": 2, "heads": 2, "feedforward": 24, "adapter": 6}
LENGTHS = (7, 5)
TOKENS = torch.randint(5, 261, (1, sum(LENGTHS)), generator=torch.Generator().manual_seed(5))


def make_run(corpus: str, folder: Path, model: Mapping[str, Any], kind: str) -> tuple[Path, LanguageModel]:
    """A run of one step whose weights are then stirred, so that nothing in them is negligible."""
    config = {"steps": 1, "rows": 2, "threads": 1, "model": dict(model), "objective": {"kind": kind}}
    config |= {"heldout": {"rows": 1}, "log": {"tensorboard": False}}
    train(
        corpus,
        str(folder),
        TrainConfig.model_validate(config),
        SamplerConfig.model_validate({"row_tokens": 32, "block_rows": 8}),
        tokenizer="bytes",
        seed=0,
    )
    trained = read_trained(folder)
    torch.manual_seed(1)
    fixed = ("usable", "prior")
    tensors = {
        name: value if name.endswith(fixed) else value + 0.2 * torch.randn_like(value)
        for name, value in trained.tensors.items()
    }
    save(folder, 1, tensors, {}, {}, {key: value for key, value in trained.state.items() if key != "hashes"})
    return folder, read_trained(folder).model().eval()


def packed(language: int, *, masked: bool) -> Inputs:
    length = sum(LENGTHS)
    return Inputs(
        tokens=TOKENS,
        segments=torch.tensor([[0] * LENGTHS[0] + [1] * LENGTHS[1]], dtype=torch.int32),
        positions=torch.cat([torch.arange(size) for size in LENGTHS])[None].int(),
        languages=torch.tensor([language]),
        bidirectional=torch.tensor([masked]),
        select=torch.arange(length - 1 if masked else length),
    )


@torch.no_grad()
def stock_logits(folder: Path, *, masked: bool, **named: Any) -> torch.Tensor:
    """Of each document by itself, as somebody without this project would compute them."""
    auto = transformers.AutoModelForMaskedLM if masked else transformers.AutoModelForCausalLM
    stock = auto.from_pretrained(folder).eval()
    return torch.cat([stock(input_ids=part, **named).logits[0] for part in torch.split(TOKENS, list(LENGTHS), dim=1)])


@pytest.mark.parametrize(
    ("settings", "language", "architecture", "layers"),
    [
        ({"adapter": 0}, None, "apertus", 2),
        ({"adapter": 0, "qk_norm": False, "embedding_scaling": "sqrt"}, None, "arcee", 2),
        ({"adapter": 0, "embedding_scaling": "none", "norm_gains": True}, "swh_Latn", "apertus", 2),
        ({}, "core", "apertus", 2),
        ({"adapter_activation": "relu2"}, "swh_Latn", "apertus", 4),
        (
            {"adapter_activation": "relu2", "adapter": 30, "adapter_power": 0.5, "gate": "static", "norm_gains": True},
            "ell_Grek",
            "apertus",
            4,
        ),
        ({"adapter_activation": "relu2", "qk_norm": False}, "eng_Latn", "arcee", 4),
    ],
)
def test_own_models_have_the_same_logits_in_stock_architectures(
    tiny_corpus: str, tmp_path: Path, settings: dict[str, Any], language: str | None, architecture: str, layers: int
) -> None:
    run, model = make_run(tiny_corpus, tmp_path / "run", {**SMALL, **settings}, "causal")
    output = tmp_path / "out"
    result = export(run, output, "transformers", language=language, special={"bos": 2, "eos": 3, "pad": 0})
    config = json.loads((output / "config.json").read_text())
    assert (config["model_type"], config["num_hidden_layers"], config["bos_token_id"]) == (architecture, layers, 2)
    index = -1 if language in (None, "core") else LANGUAGES.index(str(language))
    expected = model(packed(index, masked=False)).logits
    assert (stock_logits(output, masked=False) - expected).abs().max() < 1e-5
    assert result["difference"] < 1e-5
    assert result["languages"] == ([] if index < 0 else [language])


XLMR = {
    "vocab_size": 261, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
    "max_position_embeddings": 66, "pad_token_id": 1, "type_vocab_size": 1, "layer_norm_eps": 1e-5,
}  # fmt: skip


@pytest.fixture(scope="module")
def xlmr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("xlmr")
    torch.manual_seed(2)
    config = transformers.AutoConfig.for_model("xlm-roberta", **XLMR)
    transformers.AutoModelForMaskedLM.from_config(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("settings", [{"adapter": 4}, {"adapter": 5, "gate": "static", "adapter_power": 0.4}])
def test_xlmr_with_adapters_is_xmod_for_every_language(
    tiny_corpus: str, tmp_path: Path, xlmr: Path, settings: dict[str, Any]
) -> None:
    run, model = make_run(tiny_corpus, tmp_path / "run", {"base": str(xlmr), **settings}, "masked")
    output = tmp_path / "out"
    result = export(run, output, "transformers")
    assert (result["architecture"], result["languages"]) == ("XmodForMaskedLM", LANGUAGES)
    assert json.loads((output / "config.json").read_text())["languages"] == LANGUAGES
    found = []
    for index in range(3):
        # The first token of the row has no position before it from which it could be asked for.
        expected = model(packed(index, masked=True)).logits
        scored = stock_logits(output, masked=True, lang_ids=torch.tensor([index]))[1:]
        assert (scored - expected).abs().max() < 1e-5
        found.append(scored)
    assert (found[0] - found[1]).abs().max() > 0.01

    stock = transformers.XmodForMaskedLM.from_pretrained(output).eval()
    stock.set_default_language("swh_Latn")
    with torch.no_grad():
        assert torch.allclose(stock(input_ids=TOKENS[:, :7]).logits[0, 1:], found[2][:6], atol=1e-5)


def test_a_default_language_and_the_base_alone(tiny_corpus: str, tmp_path: Path, xlmr: Path) -> None:
    run, model = make_run(tiny_corpus, tmp_path / "run", {"base": str(xlmr), "adapter": 4}, "masked")
    export(run, tmp_path / "default", "transformers", language="eng_Latn")
    expected = model(packed(1, masked=True)).logits
    assert (stock_logits(tmp_path / "default", masked=True)[1:] - expected).abs().max() < 1e-5
    result = export(run, tmp_path / "base", "transformers", language="core")
    assert (result["architecture"], result["languages"]) == ("XLMRobertaForMaskedLM", [])
    expected = model(packed(-1, masked=True)).logits
    # Before the last norm of a layer an adapter is the identity for rows without a language.
    assert (stock_logits(tmp_path / "base", masked=True)[1:] - expected).abs().max() < 1e-5


def test_a_causal_base_without_adapters_keeps_its_architecture(tiny_corpus: str, tmp_path: Path) -> None:
    torch.manual_seed(2)
    sizes = {key: XLMR[key] for key in ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads")}
    config = transformers.AutoConfig.for_model("llama", **sizes, intermediate_size=24)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "llama")
    base = {"base": str(tmp_path / "llama")}
    run, model = make_run(tiny_corpus, tmp_path / "run", {**base, "adapter": 0}, "causal")
    result = export(run, tmp_path / "out", "transformers")
    assert result["architecture"] == "LlamaForCausalLM"
    expected = model(packed(-1, masked=False)).logits
    assert (stock_logits(tmp_path / "out", masked=False) - expected).abs().max() < 1e-5

    run, _ = make_run(tiny_corpus, tmp_path / "adapted", {**base, "adapter": 4}, "causal")
    with pytest.raises(ConfigurationError, match="no architecture of transformers is a LlamaForCausalLM with language"):
        export(run, tmp_path / "refused", "transformers", language="eng_Latn")
    assert not (tmp_path / "refused").exists()


@pytest.mark.parametrize(
    ("settings", "language", "message"),
    [
        ({}, "eng_Latn", "adapters use gelu after a LayerNorm"),
        ({"adapter_activation": "relu2", "gate": "input"}, "eng_Latn", "gates are decided by each token"),
        ({}, None, "has room for one"),
        ({}, "deu_Latn", "the run has no language 'deu_Latn'"),
    ],
)
def test_what_cannot_be_expressed_is_refused_with_the_way_out(
    tiny_corpus: str, tmp_path: Path, settings: dict[str, Any], language: str | None, message: str
) -> None:
    run, _ = make_run(tiny_corpus, tmp_path / "run", {**SMALL, **settings}, "causal")
    with pytest.raises(ConfigurationError, match=message) as caught:
        export(run, tmp_path / "out", "transformers", language=language)
    assert "core" in str(caught.value.fix)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("foreign", [False, True])
def test_safetensors_hold_everything(tiny_corpus: str, tmp_path: Path, xlmr: Path, foreign: bool) -> None:
    settings = {"base": str(xlmr), "adapter": 4} if foreign else {**SMALL, "gate": "input", "norm_gains": True}
    kind = "masked" if foreign else "mixed"
    run, model = make_run(tiny_corpus, tmp_path / "run", settings, kind)
    result = export(run, tmp_path / "out", "safetensors", files={"tokenizer.model": b"pieces"})
    assert result["languages"] == LANGUAGES
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "evenglot.json",
        "model.safetensors",
        "tokenizer.model",
    ]
    again = trainer.load(tmp_path / "out")
    assert again.languages == tuple(LANGUAGES)
    inputs = packed(1, masked=foreign)
    assert torch.equal(again.model(inputs).logits, model(inputs).logits)

    with pytest.raises(InputError, match="exists and is not empty"):
        export(run, tmp_path / "out", "safetensors")
    tensors = load_file(tmp_path / "out" / "model.safetensors")
    save_file({name: value + 1 for name, value in tensors.items()}, tmp_path / "out" / "model.safetensors")
    with pytest.raises(InputError, match="its hash has changed"):
        trainer.load(tmp_path / "out")


def test_importing_the_package_loads_no_torch() -> None:
    code = "import sys, trainer; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
