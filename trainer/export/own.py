"""The project's own transformer as a stock architecture of ``transformers``, logits and all.

Apertus (Swiss AI 2025, arXiv 2509.14233) has the same blocks: RMSNorm before attention and feed-forward layer,
normalised queries and keys, rotary positions, an ungated feed-forward layer of any activation, no biases. Without
normalised queries and keys it is Arcee. Three things are folded away:

- The norm or the factor of the embeddings goes into the input embeddings, which are no longer tied to the output's.
- A language's gains of its own multiply those of the norms.
- An adapter with a squared ReLU after an RMSNorm is a feed-forward layer: it becomes a layer of its own whose attention
  adds nothing, its columns filled up with zeros, so that a model of N blocks has 2 N layers. The zeros are computed
  with, so such a model takes up to twice the time of the original.

An adapter with gelu after a LayerNorm is in no architecture of this kind and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn

from corpus.errors import ConfigurationError
from trainer.model.transformer import Block, RMSNorm, Transformer

_EPSILON: Final = 1e-6


class Stock(NamedTuple):
    """A model of ``transformers``, not yet built."""

    model_type: str
    settings: dict[str, Any]
    tensors: dict[str, Tensor]


class _Names(NamedTuple):
    """What an architecture calls the norms of a layer."""

    attention: str
    feedforward: str


_NAMES: Final = {
    "apertus": _Names("attention_layernorm", "feedforward_layernorm"),
    "arcee": _Names("input_layernorm", "post_attention_layernorm"),
}


def as_stock(
    model: Transformer, language: int | None, row_tokens: int, special: Mapping[str, int], rows: int | None = None
) -> Stock:
    """The settings and weights of the stock model with the same logits.

    Args:
        model: with V token rows.
        language: index of the language whose adapters and gains are built in; None for the core alone.
        row_tokens: longest text that the model was trained on.
        special: ids of bos, eos and pad.
        rows: the first so many token rows are kept; None for all.

    Raises:
        ConfigurationError: the language's adapters cannot be expressed.
    """
    first = model.blocks[0]
    assert isinstance(first, Block)
    model_type = "apertus" if isinstance(first.query_norm, RMSNorm) else "arcee"
    names = _NAMES[model_type]
    with_adapters = language is not None and first.adapter is not None
    if with_adapters:
        _confirm(model)
    width = model.embedding.embedding_dim
    feedforward = first.feedforward_in.out_features
    if with_adapters:
        assert first.adapter is not None
        feedforward = max(feedforward, first.adapter.prior.shape[1])
    tensors = {
        "model.embed_tokens.weight": model.embed(torch.arange(model.embedding.num_embeddings))[:rows],
        "model.norm.weight": model.final_norm.weight,
        "lm_head.weight": model.embedding.weight[:rows],
    }
    number = 0
    for block in model.blocks:
        assert isinstance(block, Block)
        tensors |= _prefixed(number, _block(block, language, names, feedforward))
        number += 1
        if with_adapters:
            assert language is not None
            tensors |= _prefixed(number, _adapter(block, language, names, feedforward))
            number += 1
    settings = {
        "vocab_size": len(tensors["lm_head.weight"]),
        "hidden_size": width,
        "intermediate_size": feedforward,
        "num_hidden_layers": number,
        "num_attention_heads": first.heads,
        "num_key_value_heads": first.heads,
        "hidden_act": "relu2",
        "rms_norm_eps": _EPSILON,
        "max_position_embeddings": row_tokens,
        "rope_parameters": {"rope_type": "default", "rope_theta": model.rotary_base},
        "tie_word_embeddings": False,
        "attention_bias": False,
        **{f"{name}_token_id": special.get(name) for name in ("bos", "eos", "pad")},
    }
    return Stock(model_type, settings, {name: value.detach().clone().contiguous() for name, value in tensors.items()})


def _confirm(model: Transformer) -> None:
    """Refuse adapters that no layer can hold.

    Raises:
        ConfigurationError: they are such.
    """
    for adapter in model.adapters():
        if adapter.activation != "relu2":
            raise ConfigurationError(
                "the model's language adapters use gelu after a LayerNorm, and no architecture of transformers has "
                "such a layer beside a feed-forward layer with squared ReLU",
                "Export the core (`--language core`) or all of it with `--to safetensors`; a model trained with "
                "`train.model.adapter_activation: relu2` can be exported for each language",
            )
        if adapter.gate_weight is not None:
            raise ConfigurationError(
                "the model's gates are decided by each token (`train.model.gate: input`), which no weights can hold",
                "Export the core (`--language core`) or all of it with `--to safetensors`",
            )


def _prefixed(number: int, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"model.layers.{number}.{name}.weight": value for name, value in tensors.items()}


def _block(block: Block, language: int | None, names: _Names, feedforward: int) -> dict[str, Tensor]:
    query, key, value = block.qkv.weight.chunk(3)
    found = {
        names.attention: _gains(block.attention_norm, language),
        "self_attn.q_proj": query,
        "self_attn.k_proj": key,
        "self_attn.v_proj": value,
        "self_attn.o_proj": block.attention_out.weight,
        names.feedforward: _gains(block.feedforward_norm, language),
        "mlp.up_proj": _rows(block.feedforward_in.weight, feedforward),
        "mlp.down_proj": _rows(block.feedforward_out.weight.T, feedforward).T,
    }
    return found | _head_norms(block)


def _adapter(block: Block, language: int, names: _Names, feedforward: int) -> dict[str, Tensor]:
    """A layer whose attention adds nothing and whose feed-forward layer is a language's adapter."""
    adapter = block.adapter
    assert adapter is not None
    down, up = adapter.folded(language)
    nothing = torch.zeros_like(block.attention_out.weight)
    attention = {f"self_attn.{name}_proj": nothing for name in "qkvo"}
    found = {
        names.attention: torch.ones_like(adapter.norm.weight),
        **attention,
        names.feedforward: adapter.norm.weight,
        "mlp.up_proj": _rows(down.T, feedforward),
        "mlp.down_proj": _rows(up, feedforward).T,
    }
    return found | {name: torch.ones_like(value) for name, value in _head_norms(block).items()}


def _head_norms(block: Block) -> dict[str, Tensor]:
    if not (isinstance(block.query_norm, RMSNorm) and isinstance(block.key_norm, RMSNorm)):
        return {}
    return {"self_attn.q_norm": block.query_norm.weight, "self_attn.k_norm": block.key_norm.weight}


def _gains(norm: RMSNorm, language: int | None) -> Tensor:
    return norm.weight if norm.own is None or language is None else norm.weight * (1 + norm.own[language])


def _rows(weight: Tensor, count: int) -> Tensor:
    """A matrix with rows of zeros at its end."""
    return nn.functional.pad(weight, (0, 0, 0, count - len(weight)))
