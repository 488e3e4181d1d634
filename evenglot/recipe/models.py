"""The whole recipe: what one YAML file may say."""

from __future__ import annotations

from pydantic import Field

from corpus.config import Config
from evenglot.report.config import ReportConfig
from pipeline.augment.config import AugmentConfig
from pipeline.config import PrepareConfig
from pipeline.parallel.config import ParallelConfig
from pipeline.sources.config import InputConfig
from pipeline.tokenizer.config import TokenizerConfig
from sampler.config import SamplerConfig
from trainer.config import TrainConfig
from trainer.translator.config import TranslatorConfig


class Recipe(Config):
    """Everything a run does, from raw files to the report. Each section has defaults; an empty recipe is valid."""

    corpus: str = "out/corpus"
    """Folder or object-store URL of the corpus, written by ``prepare`` and read by everything after it."""
    run: str = "out/run"
    """Folder of the training run: checkpoints, metrics, evaluation."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Seed of every choice: splits, samples, orders, initial weights. The same seed gives the same result."""
    inputs: tuple[InputConfig, ...] = ()
    """The raw files to read, in any number of groups."""
    prepare: PrepareConfig = Field(default_factory=PrepareConfig)
    """From raw files to the corpus."""
    augment: AugmentConfig = Field(default_factory=AugmentConfig)
    """Synthetic text over the corpus."""
    tokenizer: TokenizerConfig = Field(default_factory=TokenizerConfig)
    """The vocabulary trained on the corpus."""
    parallel: ParallelConfig = Field(default_factory=ParallelConfig)
    """Parallel text, encoded by ``tokenize`` beside the corpus."""
    sampler: SamplerConfig = Field(default_factory=SamplerConfig)
    """Which rows the training sees, in which order."""
    train: TrainConfig = Field(default_factory=TrainConfig)
    """Model, objective, regularizers, schedule."""
    translator: TranslatorConfig = Field(default_factory=TranslatorConfig)
    """A translator trained on the parallel text by ``evenglot translator fit``."""
    report: ReportConfig = Field(default_factory=ReportConfig)
    """What the HTML report shows."""
