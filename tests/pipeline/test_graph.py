from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest

from corpus.manifest import ShardFile
from pipeline.config import PrepareConfig
from pipeline.deduplicate.config import NearDuplicateConfig
from pipeline.deduplicate.exact import DECISION, ROW
from pipeline.earlier.filter import new_keys
from pipeline.earlier.sign import SignTask
from pipeline.graph import (
    by_piece,
    deal,
    index_job,
    lines_job,
    match_job,
    new_keys_job,
    read_job,
    score_job,
    sign_job,
    unpack,
    write_job,
)
from pipeline.graph_near import NearTask, components_job, near_job, settle_job
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


def test_rows_are_dealt_by_key_and_come_back_whole() -> None:
    rows = np.zeros(1000, dtype=ROW)
    rows["id"] = np.frombuffer(np.random.default_rng(3).bytes(16_000), dtype="S16")
    rows["row"] = np.arange(1000)
    dealt = dict(deal(rows, "id", 8))
    assert set(dealt) == set(range(8))
    back = unpack(dealt.values(), ROW)
    assert sorted(back["row"].tolist()) == list(range(1000))
    assert list(deal(rows[:0], "id", 8)) == []


def test_decisions_are_grouped_by_piece() -> None:
    decisions = np.zeros(5, dtype=DECISION)
    decisions["piece"] = [2, 0, 2, 1, 0]
    decisions["row"] = [5, 1, 3, 9, 0]
    grouped = {piece: unpack([packed], DECISION)["row"].tolist() for piece, packed in by_piece(decisions)}
    assert grouped == {0: [1, 0], 1: [9], 2: [5, 3]}
