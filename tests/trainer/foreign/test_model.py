from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from corpus.errors import ConfigurationError, InputError
from trainer.build import build_model
from trainer.config import ModelConfig, TrainConfig
from trainer.foreign.model import ForeignModel, foreign_model
from trainer.model.language_model import Inputs
from trainer.model.noise import Noise

MakeBase = Callable[[str], Path]
Packed = Callable[..., Inputs]


@pytest.fixture
def make(make_base: MakeBase, kinds: Mapping[str, Any]) -> Callable[..., ForeignModel]:
    """A function that loads a base of a type with adapters of three languages."""

    def made(name: str, described: Mapping[str, Any] | None = None, **settings: object) -> ForeignModel:
        torch.manual_seed(0)
        config = ModelConfig.model_validate({"base": str(make_base(name)), "adapter": 4, **settings})
        return foreign_model(config, kinds[name], 3, None, described).eval()

    return made


Make = Callable[..., ForeignModel]


def alone(folder: Path, kind: str, inputs: Inputs, ends: tuple[int, ...] = (0, 7, 12)) -> torch.Tensor:
    """Scores of the stock model for each document by itself, all tokens of all rows one after another."""
    auto = transformers.AutoModelForMaskedLM if kind == "masked" else transformers.AutoModelForCausalLM
    stock = auto.from_pretrained(folder).eval()
    with torch.no_grad():
        rows = [
            stock(input_ids=row[None, start:end]).logits[0]
            for row in inputs.tokens
            for start, end in itertools.pairwise(ends)
        ]
    return torch.cat(rows)


def stir(model: ForeignModel) -> None:
    """Give every adapter weights under which it does something."""
    with torch.no_grad():
        for adapter in model.adapters():
            adapter.up += 0.3 * torch.randn_like(adapter.up)
            adapter.norm.weight += 0.3 * torch.randn_like(adapter.norm.weight)


def test_packed_documents_score_as_the_stock_model_scores_each_alone(
    base_name: str, make: Make, make_base: MakeBase, packed: Packed, kinds: Mapping[str, str]
) -> None:
    inputs = packed(kinds[base_name])
    # A token is predicted from the position before it; a model that fills masks does it where the mask stands.
    at = inputs.select + (kinds[base_name] == "masked")
    expected = alone(make_base(base_name), kinds[base_name], inputs)[at]
    assert torch.allclose(make(base_name)(inputs).logits, expected, atol=1e-5)


def test_masks_are_scored_where_they_stand(make: Make, packed: Packed) -> None:
    inputs = packed("masked")
    assert set(inputs.tokens.flatten()[inputs.select + 1].tolist()) == {4}


def test_each_language_changes_its_own_rows(
    base_name: str, make: Make, packed: Packed, kinds: Mapping[str, str]
) -> None:
    model = make(base_name)
    inputs = packed(kinds[base_name])._replace(languages=torch.tensor([-1, 2]))
    before = model(inputs).logits
    stir(model)
    after = model(inputs).logits
    half = len(before) // 2
    assert torch.equal(before[:half], after[:half])
    assert (before[half:] - after[half:]).abs().max() > 0.01


def test_positions_begin_where_the_base_begins_them(make: Make) -> None:
    assert make("xlm-roberta").offset == 2
    assert make("bert").offset == 0
    assert make("gpt2").offset == 0


def test_inner_vectors_are_the_outputs_of_the_layers(make: Make, packed: Packed) -> None:
    model = make("llama")
    inputs = packed("causal", (12,))
    outputs = model(inputs, keep=(0, 1))
    stock = model.detach()
    with torch.no_grad():
        hidden = stock(input_ids=inputs.tokens, output_hidden_states=True).hidden_states
    assert torch.allclose(outputs.inner[0], hidden[1], atol=1e-5)
    assert sorted(outputs.inner) == [0, 1]
    assert torch.allclose(outputs.hidden, hidden[2], atol=1e-5)


def test_detach_gives_the_base_back(make: Make, make_base: MakeBase, packed: Packed) -> None:
    model = make("bert")
    stir(model)
    base = model.detach()
    tokens = packed("masked", (12,)).tokens
    stock = transformers.AutoModelForMaskedLM.from_pretrained(make_base("bert")).eval()
    with torch.no_grad():
        assert torch.equal(base(input_ids=tokens).logits, stock(input_ids=tokens).logits)


@pytest.mark.parametrize("base_name", ["xlm-roberta", "qwen2", "gpt2"])
def test_weights_go_round_through_safetensors_and_a_description(
    base_name: str, make: Make, packed: Packed, kinds: Mapping[str, str], tmp_path: Path
) -> None:
    model = make(base_name)
    stir(model)
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    again = make(base_name, described=model.described)
    inputs = packed(kinds[base_name])
    assert not torch.allclose(again(inputs).logits, model(inputs).logits, atol=1e-3)
    again.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert torch.equal(again(inputs).logits, model(inputs).logits)


def test_a_frozen_core_trains_adapters_alone(make: Make) -> None:
    model = make("xlm-roberta", train_core=False)
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    assert trained == {f"layer_adapters.{n}.{part}" for n in (0, 1) for part in ("down", "up", "norm.weight")}


def test_depth_and_decay_by_name(make: Make) -> None:
    model = make("xlm-roberta")
    layer = "base.roberta.encoder.layer.0.attention.self.query.weight"
    assert model.depth("base.roberta.embeddings.word_embeddings.weight") == 2
    assert model.depth("base.roberta.embeddings.LayerNorm.weight") == 2
    assert (model.depth(layer), model.decays(layer)) == (1, True)
    assert model.depth("base.roberta.encoder.layer.1.output.LayerNorm.bias") == 0
    assert (model.depth("base.lm_head.dense.weight"), model.decays("base.lm_head.dense.weight")) == (0, True)
    assert (model.depth("layer_adapters.0.up"), model.decays("layer_adapters.0.up")) == (1, False)
    # The head of XLM-R is registered first and shares the embeddings' weight.
    names = dict(model.named_parameters())
    assert "base.roberta.embeddings.word_embeddings.weight" not in names
    tied = "base.lm_head.decoder.weight"
    assert names[tied] is model.embedding.weight
    assert (model.depth(tied), model.decays(tied)) == (2, False)
    assert not model.decays("base.roberta.embeddings.position_embeddings.weight")


def test_layers_left_out_for_all_but_one_row(make: Make, packed: Packed) -> None:
    model = make("llama")
    inputs = packed("causal")
    torch.manual_seed(1)
    outputs = model(inputs, Noise(None, (0.5, 0.0)), keep=(0,))
    embedded = model.embedding(inputs.tokens)
    same = [torch.equal(outputs.inner[0][row], embedded[row]) for row in (0, 1)]
    assert sorted(same) == [False, True]
    kept = same.index(False)
    added = model(inputs, keep=(0,)).inner[0][kept] - embedded[kept]
    assert torch.allclose(outputs.inner[0][kept], embedded[kept] + 2 * added, atol=1e-5)


def test_longer_rows_than_positions_are_refused(make: Make, packed: Packed) -> None:
    with pytest.raises(ConfigurationError, match="rows have 65 tokens, but the base of the model has 64 positions"):
        make("xlm-roberta")(packed("masked", (65,)))


def test_objective_and_head_have_to_fit(make_base: MakeBase) -> None:
    config = ModelConfig(base=str(make_base("llama")))
    with pytest.raises(ConfigurationError, match=r"'masked', but the base .* is a causal model \(LlamaForCausalLM\)"):
        build_model(config, 261, 2, objective="masked")
    with pytest.raises(ValueError, match="reads either from both sides or from the left"):
        TrainConfig.model_validate({"model": {"base": "x"}, "objective": {"kind": "mixed"}})


def test_more_tokens_than_embeddings_are_refused(make_base: MakeBase) -> None:
    with pytest.raises(ConfigurationError, match=r"corpus has 300 token ids, but .* has embeddings of 261") as caught:
        build_model(ModelConfig(base=str(make_base("llama"))), 300, 2)
    assert "evenglot tokenize --source" in str(caught.value.fix)


def test_architectures_that_mix_documents_are_refused(tmp_path: Path) -> None:
    settings = {"vocab_size": 64, "hidden_size": 16, "n_layer": 2, "n_head": 2}
    config = transformers.AutoConfig.for_model("bloom", **settings)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(ConfigurationError, match="BloomForCausalLM cannot be trained on rows of several documents"):
        build_model(ModelConfig(base=str(tmp_path)), 64, 2)


def test_unknown_layouts_are_refused_with_what_is_known(tmp_path: Path) -> None:
    settings = {"vocab_size": 64, "hidden_size": 16, "num_hidden_layers": 2, "state_size": 4}
    config = transformers.AutoConfig.for_model("rwkv", **settings)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        build_model(ModelConfig(base=str(tmp_path)), 64, 2)
    assert "has no list of 2 layers" in caught.value.message or "several documents" in caught.value.message


def test_missing_bases_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder /nowhere/model"):
        build_model(ModelConfig(base="/nowhere/model"), 64, 2)
    with pytest.raises(InputError, match="cannot be loaded"):
        build_model(ModelConfig(base=str(tmp_path)), 64, 2)


def test_settings_that_a_base_brings_itself_are_refused() -> None:
    with pytest.raises(ValueError, match="`norm_gains` is given beside `base`"):
        ModelConfig.model_validate({"base": "x", "norm_gains": True})
    with pytest.raises(ValueError, match="belong to a `base`"):
        ModelConfig.model_validate({"train_core": False})
    with pytest.raises(ValueError, match="nothing is trained"):
        ModelConfig.model_validate({"base": "x", "train_core": False, "adapter": 0})
