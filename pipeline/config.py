"""Everything ``prepare`` can be told; each section is defined beside the stage it steers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from corpus.config import Config
from pipeline.balance.config import BalanceConfig
from pipeline.boilerplate.config import BoilerplateConfig
from pipeline.decontaminate.config import DecontaminateConfig
from pipeline.deduplicate.config import DeduplicateConfig
from pipeline.language_id.config import IdentifyConfig
from pipeline.normalise.config import NormaliseConfig
from pipeline.pii.config import PiiConfig
from pipeline.quality.config import FilterConfig
from pipeline.script.config import ScriptConfig
from pipeline.split.config import SplitConfig
from pipeline.write.config import WriteConfig


class RunnerConfig(Config):
    """The Beam engine that runs the jobs."""

    name: Literal["local", "flink", "dataflow", "portable"] = "local"
    """``local`` is Beam's own engine, in this process with one worker and in processes with several."""
    options: tuple[str, ...] = ()
    """Options passed on to Beam as they are, for example ``--flink_master=host:8081``."""
    restarts: int = Field(default=2, ge=0)
    """Times that the local engine goes on by itself, with one worker fewer, after a worker process was killed."""
    rows_worth_workers: int = Field(default=200_000, ge=0)
    """Documents from which on the local engine starts worker processes also for comparing keys and writing shards:
    with fewer, starting them takes longer than it saves. Reading and scoring always get theirs."""


class PrepareConfig(Config):
    """Raw text to corpus."""

    normalise: NormaliseConfig = NormaliseConfig()
    """Repairs that keep the document."""
    boilerplate: BoilerplateConfig = BoilerplateConfig()
    """Removal of the lines that the pages of a site share."""
    pii: PiiConfig = PiiConfig()
    """Masking of personal data."""
    identify: IdentifyConfig = IdentifyConfig()
    """Language identification."""
    script: ScriptConfig = ScriptConfig()
    """Agreement of language and script."""
    filter: FilterConfig = FilterConfig()
    """Quality scores and the bounds that decide."""
    decontaminate: DecontaminateConfig = DecontaminateConfig()
    """Evaluation text kept out."""
    deduplicate: DeduplicateConfig = DeduplicateConfig()
    """Removal of duplicates."""
    split: SplitConfig = SplitConfig()
    """Held-out text."""
    balance: BalanceConfig = BalanceConfig()
    """Mixtures and weights."""
    write: WriteConfig = WriteConfig()
    """Shards."""
    append: bool = False
    """Go on with the current snapshot of the corpus instead of beginning anew: its documents stay as they are, new
    ones are compared with them and added. The same as ``--append``. Where there is no corpus yet, one begins."""
    runner: RunnerConfig = RunnerConfig()
    """Beam engine."""
    split_bytes: int = Field(default=64 << 20, ge=1 << 10)
    """Uncompressed files larger than this are read in pieces by several workers."""
    batch_bytes: int = Field(default=4 << 20, ge=1 << 10)
    """Text in one record batch, about; the unit of work between stages."""
    warn_rejected_share: float = Field(default=0.5, gt=0, le=1)
    """A warning is given when one reason rejects more than this share of all records."""
    fail_unreadable_share: float = Field(default=0.2, gt=0, le=1)
    """The run fails when more than this share of all records cannot be parsed: then the format is wrong."""
