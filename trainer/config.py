"""The ``train`` section of a recipe. Importing this module loads no torch."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from corpus.config import Config
from corpus.errors import ConfigurationError
from trainer.conflict.config import ConflictConfig, SurgeryConfig
from trainer.continual.config import ContinualConfig
from trainer.parallel.config import ParallelRowsConfig
from trainer.row_schedule import RowSchedule


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


class GoldfishConfig(Config):
    """Tokens of often repeated text that are left out of the loss, so that it cannot be recited."""

    every: int = Field(default=4, ge=2)
    """k: one token in so many is left out."""
    context: int = Field(default=13, ge=1)
    """Tokens before it that decide whether a token is left out."""
    after: float = Field(default=4.0, ge=0)
    """Passes over a language's text after which its tokens are left out; 0 begins at once."""


class ObjectiveConfig(Config):
    """What the model learns to predict."""

    kind: Literal["causal", "masked", "mixed"] = "causal"
    """causal: the next token. masked: hidden tokens, from both sides. mixed: each row one of the two, in one model."""
    masked_share: float = Field(default=0.5, ge=0, le=1)
    """Share of masked rows under ``mixed``. One half did best here on causal and masked text alike; 15 in 16 won BabyLM
    2024 (Charpentier & Samuel, arXiv 2410.24159)."""
    mask_ratio: float = Field(default=0.3, gt=0, lt=1)
    """Share of the tokens hidden in a masked row at the start."""
    mask_ratio_end: float = Field(default=0.15, gt=0, lt=1)
    """Share of the tokens hidden at the end, reached linearly; also the share hidden in the evaluation."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of the probability that is asked for all pieces of the vocabulary alike (Szegedy et al. 2016, arXiv
    1512.00567). Logged losses are without it."""
    z_loss: float = Field(default=0.0, ge=0)
    """Factor of the squared logarithm of the softmax's normaliser, which keeps scores from drifting (PaLM, arXiv
    2204.02311: 1e-4). Logged losses are without it."""
    goldfish: GoldfishConfig | None = None
    """Leave some tokens of often repeated languages out of the loss; null for none."""


class MuonConfig(Config):
    """Muon (Jordan et al. 2024), for the core's weight matrices; what is not a matrix of the core stays with AdamW."""

    learning_rate: float | None = Field(default=None, gt=0)
    """Peak learning rate of the matrices; ``optimiser.learning_rate`` when not given, as suits ``scaling: adamw``."""
    weight_decay: float | None = Field(default=None, ge=0)
    """Decoupled decay of the matrices; ``optimiser.weight_decay`` when not given."""
    momentum: float = Field(default=0.95, ge=0, lt=1)
    """Decay of the running mean of the gradient."""
    iterations: int = Field(default=5, ge=1, lt=100)
    """Newton-Schulz iterations that bring the update's singular values near to 1."""
    scaling: Literal["adamw", "original"] = "adamw"
    """Size of an update of m x n values. adamw: 0.2 * sqrt(max(m, n)), as large as AdamW's are, so that its rates and
    decay carry over (Liu et al. 2025, arXiv 2502.16982). original: sqrt(max(1, m / n)), smaller, for higher rates."""


class OptimiserConfig(Config):
    """AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101), or Muon and AdamW."""

    kind: Literal["adamw", "muon"] = "adamw"
    """adamw for all parameters, or muon for the core's weight matrices and adamw for embeddings, norms and adapters."""
    muon: MuonConfig = MuonConfig()
    """Settings of ``kind: muon``."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Peak learning rate; the preset's when not given (tiny 3e-3, small 1.5e-3, base 6e-4; for a model with a ``base``
    5e-5, or 1e-4 where the base is frozen)."""
    betas: tuple[float, float] = (0.9, 0.95)
    """Decay of the running means of the gradient and of its square."""
    epsilon: float = Field(default=1e-8, gt=0)
    """Added to the root of the second moment."""
    weight_decay: float = Field(default=0.1, ge=0)
    """Decoupled decay of the core's weight matrices; embeddings, norms and language adapters have none."""
    decay_growth: float = Field(default=0.0, ge=0)
    """Growth of the decay with repeats: it is multiplied by 1 + this * (passes over the text so far, averaged over the
    rows, - 1)."""
    decay_largest: float = Field(default=30.0, ge=1)
    """Largest factor of the decay."""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """Layer-wise learning rates: the rate of each block is this factor times that of the block above it, the
    embeddings' that of the lowest once more."""
    language_rate_power: float = Field(default=0.0, ge=0, le=1)
    """Learning rate of a language's own parameters (adapter, gates, gains) by its amount of text: the run's times (its
    tokens / the largest language's)^this; 0 gives all languages the same."""
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
    start: float = Field(default=0.0, ge=0, lt=1)
    """Share of the steps before which the strength is 0; warmup and decay are shares of what lies between start and
    end."""
    end: float = Field(default=1.0, gt=0, le=1)
    """Share of the steps from which on the strength is 0."""

    @model_validator(mode="after")
    def _start_before_end(self) -> StrengthScheduleConfig:
        if self.start >= self.end:
            raise ValueError(f"start {self.start} is not before end {self.end}")
        return self


class EvidenceStrengthConfig(Config):
    """A factor of each language's own in a penalty that is a sum over languages."""

    by: Literal["tokens", "repeats"] = "tokens"
    """tokens: (reference / training tokens of the language)^power, stronger for languages with little text. repeats:
    (passes over its text so far / reference)^power, stronger for what is read again and again."""
    power: float = Field(default=0.5, ge=0, le=4)
    """How fast it grows; 0 for all languages alike."""
    reference: float | None = Field(default=None, gt=0)
    """Where the factor is 1; the median language's training tokens, or one pass, when not given."""
    smallest: float = Field(default=0.0, ge=0)
    """Smallest factor."""
    largest: float = Field(default=10.0, gt=0)
    """Largest factor."""

    @model_validator(mode="after")
    def _ordered(self) -> EvidenceStrengthConfig:
        if self.smallest > self.largest:
            raise ValueError(f"smallest {self.smallest} is above largest {self.largest}")
        return self


class RegulariserConfig(Config):
    """One penalty added to the loss."""

    name: str
    """Name in the registry of regularisers, for example ``deviation``."""
    strength: float = Field(default=1.0, ge=0)
    """Factor of the penalty at full strength; 0 computes and logs it without adding it."""
    schedule: StrengthScheduleConfig = StrengthScheduleConfig()
    """How the strength moves over the run."""
    by_evidence: EvidenceStrengthConfig | None = None
    """A factor of each language's own, for penalties that are a sum over languages; null for 1."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Settings of this regulariser; its method card lists them."""

    @model_validator(mode="after")
    def _known(self) -> RegulariserConfig:
        from trainer import regularisers

        try:
            regularisers.check(self.name, self.options)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        if self.by_evidence is not None and not regularisers.by_language(self.name):
            known = [name for name in regularisers.names() if regularisers.by_language(name)]
            raise ValueError(
                f"`by_evidence` is set for '{self.name}', which is no sum over languages. Remove it; those that are: "
                + ", ".join(known)
            )
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


class DropoutConfig(Config):
    """Dropout of what attention and feed-forward layers add, at a rate of each language's own."""

    rate: float = Field(default=0.0, ge=0, lt=1)
    """Rate for all languages from the first step on."""
    growth: float = Field(default=0.0, ge=0)
    """Added to a language's rate for each pass over its text beyond ``after``."""
    after: float = Field(default=2.0, ge=0)
    """Passes over a language's text after which its rate grows."""
    largest: float = Field(default=0.3, ge=0, lt=1)
    """Largest rate."""


class LayerDropConfig(Config):
    """Stochastic depth: blocks that are left out for some of the rows."""

    rate: float = Field(default=0.0, ge=0, lt=1)
    """Share of the rows for which the last block is left out, at the first step."""
    profile: Literal["linear", "uniform"] = "linear"
    """linear: the share grows from the first block to the last. uniform: the same for all blocks."""
    final: float = Field(default=0.0, ge=0, le=1)
    """Share of the rate that is left at the last step, reached linearly."""


class AverageConfig(Config):
    """A running mean of the weights."""

    decay: float = Field(default=0.999, ge=0, lt=1)
    """Part of the mean that is kept at each step."""
    evaluate: bool = True
    """Use the mean in held-out evaluations and evidence."""


class LogConfig(Config):
    """What is written while training."""

    every: int = Field(default=10, ge=1)
    """Steps between two lines of metrics."""
    tensorboard: bool = True
    """Also write TensorBoard event files."""
    peak_flops: float | None = Field(default=None, gt=0)
    """Operations a second that one device can do at most, for the share of them that training gets (MFU). When not
    given, the dense bfloat16 peak of GPUs that are known; none on CPUs."""
    shares_every: int | None = Field(default=None, ge=1)
    """Measure each penalty's share of the gradient in the first line of metrics of every so many steps; null for never.
    A measurement takes another backward pass for each penalty."""


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


class BatchGrowthConfig(Config):
    """Rows of a step that grow over the run."""

    start: float = Field(default=0.25, gt=0, le=1)
    """Rows of the first step as a share of ``train.rows``."""
    share: float = Field(default=1.0, ge=0, le=1)
    """Share of the steps over which they grow linearly."""
    multiple: int = Field(default=1, ge=1)
    """The rows of every step are a multiple of this; at least the number of processes under ``parallelism: fsdp``."""


class EarlyStopConfig(Config):
    """Languages whose held-out figures no longer fall."""

    patience: int = Field(default=3, ge=1)
    """Held-out evaluations in a row without an improvement after which a language has stopped."""
    min_improvement: float = Field(default=0.001, ge=0)
    """Bits per byte by which a figure has to fall below the best so far."""
    min_bytes: int = Field(default=4000, ge=1)
    """Languages whose evaluated held-out text is smaller are not judged: their figures would be noise."""
    action: Literal["report", "keep_best", "stop_learning"] = "keep_best"
    """report: say so, change nothing. keep_best: a language's own parameters (adapter, gates, gains) end as they were
    at its best evaluation, where that is better under the final core. stop_learning: that, and from the stop on they
    do not move and the language's share of the rows goes to the others. Under the last two the run ends when all
    languages that can be judged have stopped."""


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
    parallel: ParallelRowsConfig | None = None
    """Rows of translations that join every step, and how well translations are found; null for none."""
    language_loss: LanguageLossConfig | None = None
    """How much each language's tokens count in the loss; null counts all tokens the same."""
    dropout: DropoutConfig = DropoutConfig()
    """Dropout, by language and repeats."""
    layer_drop: LayerDropConfig = LayerDropConfig()
    """Stochastic depth."""
    average: AverageConfig | None = None
    """A running mean of the weights beside them; null for none."""
    continual: ContinualConfig | None = None
    """Go on from another run's model, grown by new languages; null begins with random weights."""
    conflict: ConflictConfig | None = None
    """Measure how far the gradients of groups of languages agree; null for no measurement."""
    surgery: SurgeryConfig | None = None
    """Project the gradients of groups of languages against each other (PCGrad, GradVac); null for none."""
    steps: int | None = Field(default=None, ge=1)
    """Length of the run in optimiser steps; give this or ``tokens``, 1,000 steps when neither is given."""
    tokens: int | None = Field(default=None, ge=1)
    """Length of the run in tokens, rounded up to whole steps."""
    rows: int = Field(default=32, ge=1)
    """Rows in one optimiser step, over all processes together."""
    batch_growth: BatchGrowthConfig | None = None
    """Begin with fewer rows in a step; null for ``rows`` from the first step on."""
    micro_rows: int | None = Field(default=None, ge=1)
    """Rows in one forward pass of one process; fewer take less memory and give the same result up to rounding. When not
    given, all of them on a GPU, and on a CPU as many as keep the scores of a pass within 32 MiB, which is fastest."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the matrix products. auto: bfloat16 on a GPU that has it, else float32. Weights stay float32."""
    attention: AttentionWay = "auto"
    """How tokens are kept to their own document; all ways give the same result up to rounding. auto: no mask where rows
    are one document each, else document by document, those of similar length together. dense: a mask over all pairs of
    a row's tokens, whose memory grows with the square of its length."""
    compile: bool = False
    """Compile the model's blocks with torch.compile: faster steps after minutes of compiling; needs a C++ compiler on
    CPUs, triton on GPUs. The result is the same up to rounding."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute; auto takes a GPU where there is one."""
    parallelism: Literal["ddp", "fsdp"] = "ddp"
    """What several processes do with the model: ddp, the whole of it on each; fsdp, weights, gradients and the
    optimiser's memory cut among them. A run may be resumed with the other one."""
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
    early_stop: EarlyStopConfig | None = None
    """What becomes of languages whose held-out figures no longer fall; null for nothing."""

    @model_validator(mode="after")
    def _one_budget(self) -> TrainConfig:
        if self.steps is not None and self.tokens is not None:
            raise ValueError("both `steps` and `tokens` are given; remove one of them")
        if self.model.base is not None:
            if self.objective.kind == "mixed":
                raise ValueError(
                    "`objective.kind` is 'mixed', but a `base` reads either from both sides or from the left; set "
                    "'masked' for an encoder (XLM-R, BERT), 'causal' for a decoder (Llama, Qwen, GPT-2)"
                )
            if self.dropout.rate or self.dropout.growth:
                raise ValueError(
                    "`dropout` by language is for the project's own transformer; a `base` keeps the rates of its own "
                    "configuration"
                )
        growth = self.batch_growth
        if growth is not None and (self.rows % growth.multiple or self.rows * growth.start < growth.multiple):
            raise ValueError(
                f"`batch_growth.multiple` is {growth.multiple}: `rows` ({self.rows}) has to be a multiple of it, and "
                f"the first step's share of them ({self.rows * growth.start:g}) at least as many"
            )
        names = [regulariser.name for regulariser in self.regularisers]
        if len(set(names)) != len(names):
            raise ValueError("a regulariser is listed twice; keep one entry for each name")
        return self

    @model_validator(mode="after")
    def _switched_on_where_needed(self) -> TrainConfig:
        from trainer.regularisers import needs

        noise = self.dropout.rate or self.dropout.growth or self.layer_drop.rate
        for entry in self.regularisers:
            if "noise" in needs(entry.name) and not noise:
                raise ValueError(
                    f"regulariser '{entry.name}' compares two passes that differ by what is left out at random, and "
                    "nothing is: set dropout.rate, dropout.growth or layer_drop.rate, or remove it"
                )
            if "gates" in needs(entry.name) and self.model.gate == "none":
                raise ValueError(
                    f"regulariser '{entry.name}' acts on gates, and the model has none: set model.gate to static or "
                    "input, or remove it"
                )
        return self

    @model_validator(mode="after")
    def _pairs_are_read(self) -> TrainConfig:
        from trainer.regularisers import needs

        reading = [regulariser.name for regulariser in self.regularisers if "pairs" in needs(regulariser.name)]
        given = self.parallel is not None and self.parallel.contrastive_pairs > 0
        if reading and not given:
            raise ValueError(
                f"the regulariser '{reading[0]}' compares translations, and there are none: set "
                "`parallel.contrastive_pairs`"
            )
        if given and not reading:
            raise ValueError(
                "`parallel.contrastive_pairs` is set, and no regulariser compares translations: add `contrastive`"
            )
        return self

    @model_validator(mode="after")
    def _all_rows_in_all_blocks(self) -> TrainConfig:
        if self.conflict is not None and self.layer_drop.rate:
            raise ValueError("`conflict` needs all rows in all blocks, and `layer_drop` leaves some out; remove one")
        return self

    def total_steps(self, row_tokens: int) -> int:
        """Optimiser steps of the run, for rows of that many tokens."""
        if self.tokens is None:
            return 1000 if self.steps is None else self.steps
        wanted = -(-self.tokens // row_tokens)
        steps = -(-wanted // self.rows)
        while self.row_schedule(steps).before(steps) < wanted:
            missing = wanted - self.row_schedule(steps).before(steps)
            steps += max(1, missing // self.rows)
        return steps

    def row_schedule(self, total: int) -> RowSchedule:
        """Rows of each step of a run of so many steps."""
        growth = self.batch_growth
        if growth is None:
            return RowSchedule(self.rows)
        steps = round(growth.share * total)
        return RowSchedule(self.rows, start=growth.start, growth=steps, multiple=growth.multiple)

    def learning_rate(self) -> float:
        """Peak learning rate, with the preset filled in."""
        if self.model.base is not None and self.optimiser.learning_rate is None:
            return 5e-5 if self.model.train_core else 1e-4
        return self.optimiser.learning_rate or PRESETS[self.model.size].learning_rate
