"""The ``train`` section of a recipe. Importing this module loads no torch."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from corpus.config import Config
from corpus.errors import ConfigurationError


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


class ModelConfig(Config):
    """The transformer: one dial, and every number it sets can be set alone."""

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
    qk_norm: bool = True
    """Normalise queries and keys, which keeps attention logits bounded at high learning rates."""
    rotary_base: float = Field(default=10_000.0, gt=1)
    """Base of the rotary position frequencies; larger for longer rows."""

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


class Shape(NamedTuple):
    """Resolved sizes of a model."""

    width: int
    layers: int
    heads: int
    feedforward: int
    adapter: int


class ObjectiveConfig(Config):
    """What the model learns to predict."""

    kind: Literal["causal", "masked", "mixed"] = "causal"
    """causal: the next token. masked: hidden tokens, from both sides. mixed: each row one of the two, in one model."""
    masked_share: float = Field(default=15 / 16, ge=0, le=1)
    """Share of masked rows under ``mixed``; 15 to 1 won BabyLM 2024 (Charpentier & Samuel, arXiv 2410.24159)."""
    mask_ratio: float = Field(default=0.3, gt=0, lt=1)
    """Share of the tokens hidden in a masked row at the start."""
    mask_ratio_end: float = Field(default=0.15, gt=0, lt=1)
    """Share of the tokens hidden at the end, reached linearly; also the share hidden in the evaluation."""


class OptimiserConfig(Config):
    """AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101)."""

    learning_rate: float | None = Field(default=None, gt=0)
    """Peak learning rate; the preset's when not given (tiny 3e-3, small 1.5e-3, base 6e-4)."""
    betas: tuple[float, float] = (0.9, 0.95)
    """Decay of the running means of the gradient and of its square."""
    epsilon: float = Field(default=1e-8, gt=0)
    """Added to the root of the second moment."""
    weight_decay: float = Field(default=0.1, ge=0)
    """Decoupled decay of the core's weight matrices; embeddings, norms and language adapters have none."""
    clip: float | None = Field(default=1.0, gt=0)
    """Largest norm of the whole gradient; null for no clipping."""

    @field_validator("betas")
    @classmethod
    def _betas_below_one(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not all(0 <= beta < 1 for beta in value):
            raise ValueError("both betas must be at least 0 and below 1")
        return value


class ScheduleConfig(Config):
    """Learning rate over the run, as a share of its peak."""

    kind: Literal["cosine", "linear", "constant"] = "cosine"
    """cosine or linear: falls from the peak on. constant: stays at the peak until the decay share begins."""
    warmup: float = Field(default=0.05, ge=0, le=1)
    """Share of the steps over which the rate rises linearly from zero."""
    decay: float = Field(default=0.2, ge=0, le=1)
    """``constant`` only: share of the steps, at the end, over which the rate falls linearly."""
    final: float = Field(default=0.1, ge=0, le=1)
    """Share of the peak left at the last step."""


class StrengthScheduleConfig(Config):
    """A regulariser's strength over the run, as a share of its full value."""

    kind: Literal["constant", "linear", "cosine"] = "constant"
    """constant: full strength after the warmup. linear or cosine: moves from full to ``final`` after the warmup."""
    warmup: float = Field(default=0.0, ge=0, le=1)
    """Share of the steps over which the strength rises linearly from zero."""
    final: float = Field(default=0.0, ge=0)
    """``linear`` and ``cosine`` only: share of the full strength at the last step; above 1 it grows."""


class RegulariserConfig(Config):
    """One penalty added to the loss."""

    name: str
    """Name in the registry of regularisers, for example ``deviation``."""
    strength: float = Field(default=1.0, ge=0)
    """Factor of the penalty at full strength; 0 computes and logs it without adding it."""
    schedule: StrengthScheduleConfig = StrengthScheduleConfig()
    """How the strength moves over the run."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Settings of this regulariser; its method card lists them."""

    @model_validator(mode="after")
    def _known(self) -> RegulariserConfig:
        from trainer.regularisers import check

        try:
            check(self.name, self.options)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        return self


class LanguageLossConfig(Config):
    """How much each language's tokens count in the loss."""

    name: str
    """Name in the registry of language-aware losses: group_dro, chi_square, cvar, focal or tempered."""
    strength: float = Field(default=1.0, ge=0, le=1)
    """How far the factors go from 1 to the method's."""
    schedule: StrengthScheduleConfig = StrengthScheduleConfig()
    """How the strength moves over the run."""
    floor: float = Field(default=0.2, ge=0, le=1)
    """Smallest factor of a language's tokens."""
    cap: float = Field(default=5.0, ge=1)
    """Largest factor of a language's tokens."""
    smoothing: float = Field(default=0.98, ge=0, lt=1)
    """Decay, at each step, of the sums that losses and shares are taken from."""
    baseline: str = "unigram"
    """What is taken off each language's loss before languages are compared: none, unigram (the entropy of its tokens
    one by one), or a JSON file that maps tags to nats per token."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Settings of this method; its method card lists them."""

    @model_validator(mode="after")
    def _known(self) -> LanguageLossConfig:
        from trainer.weighting import check

        try:
            check(self.name, self.options)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        return self


class LogConfig(Config):
    """What is written while training."""

    every: int = Field(default=10, ge=1)
    """Steps between two lines of metrics."""
    tensorboard: bool = True
    """Also write TensorBoard event files."""


class CheckpointConfig(Config):
    """When the state is saved."""

    every: int | None = Field(default=None, ge=1)
    """Steps between two checkpoints; a tenth of the run when not given. The last step is always saved."""
    keep: int = Field(default=2, ge=1)
    """How many of the newest checkpoints stay."""


class HeldoutConfig(Config):
    """Held-out evaluation while training; `evaluate` afterwards uses all rows."""

    every: int | None = Field(default=None, ge=1)
    """Steps between two evaluations; a tenth of the run when not given. Steps 0 and the last are always evaluated."""
    rows: int | None = Field(default=4, ge=1)
    """Held-out rows of each language that are used; null for all."""


class TrainConfig(Config):
    """How a model is trained."""

    model: ModelConfig = ModelConfig()
    """The transformer."""
    objective: ObjectiveConfig = ObjectiveConfig()
    """What it learns to predict."""
    optimiser: OptimiserConfig = OptimiserConfig()
    """How its weights move."""
    schedule: ScheduleConfig = ScheduleConfig()
    """Learning rate over the run."""
    regularisers: tuple[RegulariserConfig, ...] = (RegulariserConfig(name="deviation"),)
    """Penalties added to the loss, each with its strength and schedule; an empty list for none."""
    language_loss: LanguageLossConfig | None = None
    """How much each language's tokens count in the loss; null counts all tokens the same."""
    steps: int | None = Field(default=None, ge=1)
    """Length of the run in optimiser steps; give this or ``tokens``, 1,000 steps when neither is given."""
    tokens: int | None = Field(default=None, ge=1)
    """Length of the run in tokens, rounded up to whole steps."""
    rows: int = Field(default=32, ge=1)
    """Rows in one optimiser step, over all processes together."""
    micro_rows: int | None = Field(default=None, ge=1)
    """Rows in one forward pass of one process; fewer take less memory and give the same result up to rounding. When not
    given, all of them on a GPU, and on a CPU as many as keep the scores of a pass within 32 MiB, which is fastest."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the matrix products. auto: bfloat16 on a GPU that has it, else float32. Weights stay float32."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; auto takes a GPU where there is one."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads; all cores that the process may use when not given. Resuming keeps the number of the first start."""
    max_skipped: int = Field(default=10, ge=1)
    """Steps in a row that may be skipped because loss or gradient is not finite, before the run stops."""
    log: LogConfig = LogConfig()
    """What is written while training."""
    checkpoint: CheckpointConfig = CheckpointConfig()
    """When the state is saved."""
    heldout: HeldoutConfig = HeldoutConfig()
    """Held-out evaluation while training."""

    @model_validator(mode="after")
    def _one_budget(self) -> TrainConfig:
        if self.steps is not None and self.tokens is not None:
            raise ValueError("both `steps` and `tokens` are given; remove one of them")
        names = [regulariser.name for regulariser in self.regularisers]
        if len(set(names)) != len(names):
            raise ValueError("a regulariser is listed twice; keep one entry for each name")
        return self

    def total_steps(self, row_tokens: int) -> int:
        """Optimiser steps of the run, for rows of that many tokens."""
        if self.tokens is not None:
            return -(-self.tokens // (self.rows * row_tokens))
        return 1000 if self.steps is None else self.steps

    def learning_rate(self) -> float:
        """Peak learning rate, with the preset filled in."""
        return self.optimiser.learning_rate or PRESETS[self.model.size].learning_rate
