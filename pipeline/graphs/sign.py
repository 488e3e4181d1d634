"""The job that makes an index of earlier text shards that have none which fits."""

from __future__ import annotations

from collections.abc import Sequence

from corpus.storage import Storage
from pipeline.config import PrepareConfig
from pipeline.earlier.sign import SignTask, sign_shard
from pipeline.graphs.deal import Build, for_each


def sign_job(tasks: Sequence[SignTask], work: str, config: PrepareConfig) -> Build:
    """Make index rows of earlier text shards that have none which fit."""
    return for_each("shards", tasks, "sign", sign_earlier, work, config)


def sign_earlier(task: SignTask, work: str, config: PrepareConfig) -> None:
    """Make the index rows of one shard."""
    sign_shard(Storage(work), task, config.deduplicate.near)
