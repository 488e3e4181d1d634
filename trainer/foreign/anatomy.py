"""Where the layers of a foreign model are, and where in them an adapter belongs."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, cast

from torch import nn

from corpus.errors import ConfigurationError

_LAYERS: Final = {
    "encoder.layer": "BERT, RoBERTa, XLM-R, CamemBERT, ELECTRA",
    "transformer.layer": "DistilBERT",
    "layers": "Llama, Mistral, Qwen, Gemma, OLMo, GPT-NeoX, Apertus, ModernBERT",
    "h": "GPT-2, GPT-J, Falcon",
    "encoder.layers": "NomicBERT",
    "decoder.layers": "OPT, BioGPT",
    "blocks": "models that name their layers `blocks`",
}
"""Paths of the list of layers from the backbone on, with the architectures that use them."""

_LAST_NORMS: Final = ("output.LayerNorm", "output_layer_norm")
"""Norms that post-norm layers end with; the adapter comes before them, as in X-MOD (arXiv 2205.06266)."""


class Anatomy(NamedTuple):
    """What training needs to know of a foreign model's inside."""

    backbone: nn.Module
    """What turns tokens into the vectors that the head reads."""
    layers: nn.ModuleList
    """Lowest first."""
    embedding: nn.Embedding
    """Of the tokens."""
    width: int
    """Size of the residual stream, D."""
    last_norms: tuple[nn.Module | None, ...]
    """Of each layer, the norm that its adapter goes before; None where the adapter follows the layer."""


def anatomy(model: nn.Module) -> Anatomy:
    """Find backbone, layers and embeddings through the names that ``transformers`` uses.

    Raises:
        ConfigurationError: the architecture is none of the known ones; the message lists them.
    """
    config: Any = model.config
    backbone = cast("nn.Module", model.base_model)
    count = int(config.num_hidden_layers)
    layers = next((found for path in _LAYERS if (found := _list_at(backbone, path, count)) is not None), None)
    embedding = cast("Any", model).get_input_embeddings()
    if backbone is model or layers is None or not isinstance(embedding, nn.Embedding):
        known = "; ".join(f"{names} (`{path}`)" for path, names in _LAYERS.items())
        raise ConfigurationError(
            f"train.model.base: {type(model).__name__} has no list of {count} layers where one was looked for",
            f"Choose a base whose layers lie as in one of: {known}",
        )
    width = int(config.hidden_size)
    return Anatomy(backbone, layers, embedding, width, tuple(_last_norm(layer) for layer in layers))


def _list_at(backbone: nn.Module, path: str, count: int) -> nn.ModuleList | None:
    try:
        found = backbone.get_submodule(path)
    except AttributeError:
        return None
    return found if isinstance(found, nn.ModuleList) and len(found) == count else None


def _last_norm(layer: nn.Module) -> nn.Module | None:
    for path in _LAST_NORMS:
        try:
            return layer.get_submodule(path)
        except AttributeError:
            continue
    return None
