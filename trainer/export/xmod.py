"""XLM-R and RoBERTa with language adapters as X-MOD (Pfeiffer et al. 2022, arXiv 2205.06266), all languages in one.

The adapters lie where X-MOD has them, before the last norm of a layer. What X-MOD has and they have not are biases,
which become zero, and a bottleneck that divides the width, which zeros fill up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from corpus.errors import ConfigurationError
from trainer.export.own import Stock
from trainer.foreign.model import ForeignModel

_SAME: Final = (
    "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act",
    "hidden_dropout_prob", "attention_probs_dropout_prob", "max_position_embeddings", "type_vocab_size",
    "initializer_range", "layer_norm_eps", "pad_token_id", "bos_token_id", "eos_token_id", "tie_word_embeddings",
)  # fmt: skip
_BASES: Final = ("xlm-roberta", "roberta", "camembert")


def fits(model: ForeignModel) -> bool:
    """Whether a model is one of the kind that X-MOD comes from."""
    config: Any = model.base.config
    return bool(model.kind == "masked" and config.model_type in _BASES)


def as_xmod(model: ForeignModel, languages: Sequence[str], default: str | None) -> Stock:
    """The settings and weights of the X-MOD model with the same logits.

    Args:
        model: of the RoBERTa kind, with adapters.
        languages: tags in the order of the model's indices.
        default: the language that is taken where a call names none.

    Raises:
        ConfigurationError: the adapters cannot be expressed.
    """
    config: Any = model.base.config
    adapters = model.adapters()
    width, bottleneck = adapters[0].prior.shape
    if adapters[0].gate_weight is not None or config.hidden_act != "gelu" or bottleneck > width:
        reason = (
            "gates that each token decides (`train.model.gate: input`)"
            if adapters[0].gate_weight is not None
            else f"the activation {config.hidden_act} in its layers and gelu in its adapters"
            if config.hidden_act != "gelu"
            else "adapters wider than its layers"
        )
        raise ConfigurationError(
            f"the model has {reason}, and X-MOD has not",
            "Export the base alone (`--language core`) or all of it with `--to safetensors`",
        )
    factor = width // bottleneck
    room = width // factor
    settings = {name: getattr(config, name) for name in _SAME} | {
        "languages": list(languages),
        "default_language": default,
        "adapter_reduction_factor": factor,
        "adapter_layer_norm": True,
        "adapter_reuse_layer_norm": False,
        "ln_before_adapter": False,
        "pre_norm": False,
    }
    tensors = {name: value for name, value in model.base.state_dict().items() if "position_ids" not in name}
    for number, adapter in enumerate(adapters):
        prefix = f"roberta.encoder.layer.{number}.output"
        assert isinstance(adapter.norm, nn.LayerNorm)
        tensors[f"{prefix}.adapter_layer_norm.weight"] = adapter.norm.weight
        tensors[f"{prefix}.adapter_layer_norm.bias"] = torch.zeros(width)
        for index, tag in enumerate(languages):
            down, up = adapter.folded(index)
            own = f"{prefix}.adapter_modules.{tag}"
            tensors[f"{own}.dense1.weight"] = _rows(down.T, room)
            tensors[f"{own}.dense1.bias"] = torch.zeros(room)
            tensors[f"{own}.dense2.weight"] = _rows(up, room).T
            tensors[f"{own}.dense2.bias"] = torch.zeros(width)
    return Stock("xmod", settings, {name: value.detach().clone().contiguous() for name, value in tensors.items()})


def _rows(weight: Tensor, count: int) -> Tensor:
    """A matrix with rows of zeros at its end."""
    return nn.functional.pad(weight, (0, 0, 0, count - len(weight)))
