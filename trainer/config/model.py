"""The model's sizes, adapters and gates, or the model of others that is trained."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from pydantic import Field, model_validator

from corpus.config import Config


class Preset(NamedTuple):
    """What one word of ``train.model.size`` stands for."""

    width: int
    layers: int
    heads: int
    learning_rate: float


PRESETS: Final[dict[str, Preset]] = {
    "tiny": Preset(width=128, layers=4, heads=4, learning_rate=3e-3),
    "small": Preset(width=384, layers=8, heads=6, learning_rate=1.5e-3),
    "base": Preset(width=768, layers=12, heads=12, learning_rate=6e-4),
}


AttentionWay = Literal["auto", "dense"]
"""How tokens are kept to their own document."""


class ModelConfig(Config):
    """The transformer: one dial, and every number it sets can be set alone. Or the model of others that is trained."""

    base: str | None = None
    """Folder or Hugging Face hub id of a `transformers` model that is trained on, with language adapters in its layers;
    null for a transformer of the project's own. The corpus has to be tokenised with the model's tokenizer."""
    revision: str | None = None
    """Branch, tag or commit of the base on the hub; its default when not given. Give a commit for runs that can be
    repeated."""
    train_core: bool = True
    """Train the base's own weights beside the adapters; false freezes them. Only with ``base``."""
    size: Literal["tiny", "small", "base"] = "tiny"
    """Preset: tiny 128 wide with 4 layers (1 M parameters beside the embedding), small 384 with 8, base 768 with 12."""
    width: int | None = Field(default=None, ge=8)
    """Size of the hidden vectors; the preset's when not given."""
    layers: int | None = Field(default=None, ge=1)
    """Number of transformer blocks; the preset's when not given."""
    heads: int | None = Field(default=None, ge=1)
    """Attention heads; the preset's when not given. The width must be a multiple of twice this number."""
    feedforward: int | None = Field(default=None, ge=1)
    """Width of the feed-forward layer; four times the width when not given."""
    adapter: int | None = Field(default=None, ge=0)
    """Bottleneck of the language adapters; a quarter of the width when not given, 0 for none."""
    adapter_power: float = Field(default=0.0, ge=0, le=1)
    """Capacity by need: a language may use the bottleneck's (its tokens / the largest language's)^this share of the
    dimensions, at least one; 0 gives all languages all of them."""
    adapter_activation: Literal["gelu", "relu2"] = "gelu"
    """Inside the adapters: gelu after a LayerNorm; or the squared ReLU after an RMSNorm that the feed-forward layers
    have, with which each language's model can be exported to a stock architecture of `transformers`."""
    gate: Literal["none", "static", "input"] = "none"
    """How much of a language's path is added to the core: all of it; a learnt share for each language and block; or a
    share that each token decides."""
    norm_gains: bool = False
    """Give each language gains of its own in the norms of every block, on top of the shared ones."""
    embedding_scaling: Literal["norm", "sqrt", "none"] = "norm"
    """What is done to the embeddings' size: normalised with learnt gains, multiplied by the root of the width (as in
    the first transformer, arXiv 1706.03762), or nothing."""
    qk_norm: bool = True
    """Normalise queries and keys, which keeps attention logits bounded at high learning rates."""
    rotary_base: float = Field(default=10_000.0, gt=1)
    """Base of the rotary position frequencies; larger for longer rows."""

    @model_validator(mode="after")
    def _base_brings_its_shape(self) -> ModelConfig:
        if self.base is not None:
            given = sorted(self.model_fields_set & _OF_OWN_TRANSFORMER)
            different = [name for name in given if getattr(self, name) != type(self).model_fields[name].default]
            if different:
                raise ValueError(f"`{different[0]}` is given beside `base`, which brings its own; remove one of them")
            if self.adapter_activation != "gelu":
                raise ValueError(
                    "`adapter_activation` belongs to the project's own transformer; beside `base` leave it out"
                )
            if self.adapter == 0 and not self.train_core:
                raise ValueError("with `adapter: 0` and `train_core: false` nothing is trained; change one of them")
        elif self.revision is not None or not self.train_core:
            raise ValueError("`revision` and `train_core` belong to a `base`, which is not given")
        return self

    @model_validator(mode="after")
    def _heads_divide_width(self) -> ModelConfig:
        shape = self.shape()
        if shape.width % (2 * shape.heads):
            raise ValueError(
                f"width {shape.width} is not a multiple of twice the {shape.heads} heads, as rotary positions need"
            )
        return self

    def shape(self) -> Shape:
        """The sizes with the preset filled in."""
        preset = PRESETS[self.size]
        width = self.width or preset.width
        return Shape(
            width=width,
            layers=self.layers or preset.layers,
            heads=self.heads or preset.heads,
            feedforward=self.feedforward or 4 * width,
            adapter=width // 4 if self.adapter is None else self.adapter,
        )


_OF_OWN_TRANSFORMER: Final = frozenset(
    {
        "size", "width", "layers", "heads", "feedforward", "norm_gains", "embedding_scaling", "qk_norm", "rotary_base",
    }
)  # fmt: skip
"""Settings that a base has its own of."""


class Shape(NamedTuple):
    """Resolved sizes of a model."""

    width: int
    layers: int
    heads: int
    feedforward: int
    adapter: int
