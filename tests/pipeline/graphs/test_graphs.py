from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pytest

from corpus.manifest import ShardFile
from pipeline.config import PrepareConfig
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.earlier.filter import new_keys
from pipeline.earlier.sign import SignTask
from pipeline.graphs.components import components_job
from pipeline.graphs.index import index_job
from pipeline.graphs.lines import lines_job
from pipeline.graphs.match import match_job
from pipeline.graphs.near import near_job
from pipeline.graphs.near_task import NearTask
from pipeline.graphs.new_keys import new_keys_job
from pipeline.graphs.read import read_job
from pipeline.graphs.score import score_job
from pipeline.graphs.settle import settle_job
from pipeline.graphs.sign import sign_job
from pipeline.graphs.write import write_job
from pipeline.quality.config import FilterConfig
from pipeline.write.config import WriteConfig
from pipeline.write.plan import IndexPart, TextPart
from pipeline.write.shards import WriteJob


def transforms(build: object) -> int:
    pipeline = beam.Pipeline()
    build(pipeline)  # type: ignore[operator]
    return len(pipeline.to_runner_api().components.transforms)


@pytest.mark.parametrize(
    "job", ["read", "lines", "score", "match", "near", "components", "settle", "write", "index", "sign", "new_keys"]
)
def test_graph_has_the_same_size_for_3_and_300_languages(job: str, tmp_path: Path) -> None:
    def size(languages: int) -> int:
        tags = [f"l{number:02d}_Latn" for number in range(languages)]
        names = [f"p{number}" for number in range(languages)]
        work = str(tmp_path)
        if job == "read":
            return transforms(read_job([], work, PrepareConfig()))
        if job == "lines":
            return transforms(lines_job(names, work, "lines/x", PrepareConfig()))
        if job == "score":
            return transforms(score_job([(name, name) for name in names], work, "lines/x/keys.arrow", PrepareConfig()))
        if job == "match":
            return transforms(match_job(names, work, "match", PrepareConfig(), 0))
        ranges = tuple(dict.fromkeys(tags, (0, 1, 1)) for _ in names)
        bounds, weights = dict.fromkeys(tags, 0), dict.fromkeys(tags, 1.0)
        near = NearDuplicateConfig()
        task = NearTask(work, "match", tuple(names), near)
        if job == "near":
            return transforms(near_job(task))
        if job == "components":
            return transforms(components_job(task, 8, 4, 0))
        if job == "settle":
            return transforms(settle_job(task, 8, "labels-004", PrepareConfig(), 0))
        write = WriteJob(
            1, 0, tuple(names), ranges, bounds, weights, {}, FilterConfig(), near, WriteConfig(), "match/final"
        )
        if job == "index":
            return transforms(index_job([IndexPart(0, tuple(tags))], work, work, write))
        if job == "new_keys":
            return transforms(new_keys_job(names, new_keys(work, "new", languages)))
        if job == "sign":
            shards = [ShardFile(path=f"text/{tag}/x.arrow", kind="text") for tag in tags]
            return transforms(sign_job([SignTask(work, shard, "x") for shard in shards], work, PrepareConfig()))
        parts = [TextPart(tag, 0, (0,)) for tag in tags]
        return transforms(write_job(parts, work, work, write))

    assert size(3) == size(300)
