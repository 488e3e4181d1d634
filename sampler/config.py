"""What the sampler can be told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from corpus.config import Config
from sampler.feedback.config import FeedbackConfig
from sampler.view import DocumentsConfig

MixtureName = Literal["unimax", "temperature", "proportional", "uniform"]
Packing = Literal["concatenate", "best_fit"]
RowLanguages = Literal["one_language", "mixed"]


class CacheConfig(Config):
    """Local copies of what is read from an object store, and what was counted under filters of documents. For a corpus
    on local disk only the latter is kept, and only in a folder that is named."""

    folder: str | None = None
    """Folder that the processes of a machine share; null takes a temporary one for each process."""
    bytes: int = Field(default=8 << 30, ge=1 << 20)
    """Bound on its size. The rows in use lie in eight record batches of each language, about a megabyte each: with
    less room than that for all languages, record batches are fetched again and again."""


class Stage(Config):
    """One stage of a run. What it leaves out is as in the section around it."""

    name: str = Field(min_length=1, max_length=80)
    """What logs, states and reports call it."""
    tokens: int | None = Field(default=None, ge=1)
    """Its length in tokens, rounded up to whole blocks; null, for the last stage alone, is as long as the run. The
    last stage goes on where the run is longer than all stages."""
    mixture: MixtureName | dict[str, float] | None = None
    """How often each language is sampled; null as outside the stages."""
    alpha: float | None = Field(default=None, ge=0, le=1)
    """Exponent of the temperature mixture."""
    epochs: float | None = Field(default=None, gt=0)
    """Largest number of passes over a language under UniMax, those of earlier stages included."""
    max_repeats: float | None = Field(default=None, gt=0)
    """Largest number of passes over a language by the end of the stage, those of earlier stages included, under
    any mixture; counted over the text that `documents` keeps."""
    floor: float | None = Field(default=None, ge=0, lt=1)
    """Smallest share of each language of the stage before caps."""
    languages: tuple[str, ...] | None = None
    """Language tags of the stage; the others get nothing."""
    documents: DocumentsConfig | None = None
    """Which documents of each language come, how often and in which order."""
    transition: int = Field(default=0, ge=0)
    """Tokens at the beginning of the stage over which the shares of the stage before turn into its own, rounded up
    to whole blocks; a language that leaves fades out in them."""
    transition_steps: int = Field(default=8, ge=1, le=256)
    """Steps of constant shares that a transition consists of."""
    snapshot: Annotated[int, Field(ge=1)] | Literal["current"] | None = None
    """Snapshot of the corpus that is read from this stage on: its number, or `current`, the one that is current when
    the run is last started or resumed before the stage begins. Null is that of the stage before."""


class SamplerConfig(Config):
    """Corpus to rows of tokens."""

    row_tokens: int = Field(default=1024, ge=2, le=1 << 20)
    """Tokens in one row, the model's context."""
    packing: Packing = "concatenate"
    """How documents are laid into rows, without padding in either case: end to end and cut where a row ends, or by
    best fit, which cuts about a tenth as many documents where they are a good deal shorter than a row."""
    rows: RowLanguages = "one_language"
    """Whether a row holds documents of one language, or of any; shares of languages are the same in every block."""
    mixture: MixtureName | dict[str, float] = "unimax"
    """How often each language is sampled: a named mixture, or a share for each language tag (they are made to
    sum to 1; languages not named are left out)."""
    alpha: float = Field(default=0.3, ge=0, le=1)
    """Exponent of the temperature mixture: 1 is proportional, 0 is uniform."""
    epochs: float = Field(default=4.0, gt=0)
    """Largest number of passes over a language under UniMax."""
    budget_tokens: int | None = Field(default=None, ge=1)
    """Tokens of the whole training run, for the caps on repeats; the trainer sets it, else it is one pass over
    the corpus."""
    max_repeats: float | None = Field(default=None, gt=0)
    """Largest number of passes over a language within the budget, under any mixture, changes by hand and by
    feedback included; null for no cap. Where `documents` filters, it counts over the text that is kept."""
    floor: float = Field(default=0.0, ge=0, lt=1)
    """Smallest share of each language, under any mixture; a language that has reached its cap falls below it."""
    languages: tuple[str, ...] | None = None
    """Language tags to sample; null takes all that have training text."""
    cache: CacheConfig = Field(default_factory=CacheConfig)
    """Of what is read from an object store or counted under filters; it changes no row."""

    documents: DocumentsConfig = Field(default_factory=DocumentsConfig)
    """Which documents of each language come, how often and in which order."""
    stages: tuple[Stage, ...] = ()
    """Stages that the run goes through, in order; without any, one mixture holds for the whole run."""
    block_rows: int = Field(default=256, ge=1, le=1 << 16)
    """Rows in a block. At the end of every block each language is within one row of its share, and the mixture
    can change there."""
    feedback: FeedbackConfig = FeedbackConfig()
    """How the mixture follows the losses while a run goes on."""

    @model_validator(mode="after")
    def _stages(self) -> SamplerConfig:
        names = [stage.name for stage in self.stages]
        for number, stage in enumerate(self.stages):
            last = number + 1 == len(self.stages)
            if stage.name in names[:number]:
                raise ValueError(f"stages: two are named '{stage.name}'; give each a name of its own")
            if stage.tokens is None and not last:
                raise ValueError(f"stages.{stage.name}.tokens is missing; only the last stage may be without a length")
            if stage.tokens is not None and stage.transition > stage.tokens:
                raise ValueError(
                    f"stages.{stage.name}.transition is {stage.transition} tokens, the stage has {stage.tokens}; "
                    "make it shorter than the stage"
                )
            if number == 0 and stage.transition:
                raise ValueError(f"stages.{stage.name}.transition: the first stage turns from nothing; leave it 0")
            if number == 0 and stage.snapshot is not None:
                raise ValueError(
                    f"stages.{stage.name}.snapshot: the first stage reads the run's snapshot; "
                    "name another from the second stage on"
                )
        return self
