"""The whole ``train`` section."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from corpus.config import Config
from trainer.config.conflict import ConflictConfig, SurgeryConfig
from trainer.config.continual import ContinualConfig
from trainer.config.late_start import LateStartConfig
from trainer.config.model import PRESETS, AttentionWay, ModelConfig
from trainer.config.noise import DropoutConfig, LayerDropConfig
from trainer.config.objective import ObjectiveConfig
from trainer.config.optimiser import BatchGrowthConfig, OptimiserConfig, ScheduleConfig
from trainer.config.parallel import ParallelRowsConfig
from trainer.config.penalties import LanguageLossConfig, RegulariserConfig
from trainer.config.run import AverageConfig, CheckpointConfig, EarlyStopConfig, HeldoutConfig, LogConfig
from trainer.row_schedule import RowSchedule


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
    late_start: LateStartConfig = LateStartConfig()
    """Where languages begin that the sampler's stages bring in after the run's beginning."""
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
    def _late_languages_have_something_to_start(self) -> TrainConfig:
        if self.late_start.start == "core":
            return self
        if self.model.adapter == 0:
            raise ValueError("`late_start` starts adapters, and the model has none: remove it or `model.adapter: 0`")
        if self.continual is not None:
            raise ValueError("`late_start` is set beside `continual`, whose languages have their starts already")
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
