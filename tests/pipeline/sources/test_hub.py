from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict, disable_progress_bars

from corpus.errors import InputError
from pipeline.sources import InputConfig, plan

disable_progress_bars()
ROWS = [{"id": f"d{n}", "content": f"text number {n}", "n": n} for n in range(1000)]


def config(path: Path, **more: Any) -> InputConfig:
    return InputConfig.model_validate({"path": str(path), "format": "dataset", "fields": {"text": "content"}, **more})


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "stories"
    data = Dataset.from_list(ROWS)
    DatasetDict({"train": data, "test": data.select(range(3))}).save_to_disk(folder)
    return folder


@pytest.mark.parametrize("split_bytes", [1000, 7777, 1 << 30])
def test_a_saved_dataset_splits_by_rows(saved: Path, everything: Callable[..., Any], split_bytes: int) -> None:
    found = everything(config(saved), split_bytes)
    assert found.read == 1000
    assert [(row["key"], row["text"], row["offset"]) for row in found.rows] == [
        (f"d{n}", f"text number {n}", n) for n in range(1000)
    ]
    assert json.loads(found.rows[5]["meta"]) == {"n": 5}
    assert {row["file"] for row in found.rows} == {f"dataset:{saved}/train"}
    assert (found.splits > 1) == (split_bytes < 1 << 20)


def test_another_split_and_a_single_dataset(saved: Path, everything: Callable[..., Any], tmp_path: Path) -> None:
    assert everything(config(saved, split="test")).read == 3
    Dataset.from_list(ROWS[:7]).save_to_disk(tmp_path / "one")
    assert everything(config(tmp_path / "one")).texts == [f"text number {n}" for n in range(7)]


def test_mistakes_are_said_before_any_work(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no split 'dev'\. Set `split` to one of: train, test"):
        plan([config(saved, split="dev")])
    with pytest.raises(InputError, match=r"has a field 'text'; it has: id, content, n. .*\{text: content\}"):
        plan([config(saved, fields={})])
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(InputError, match="cannot read dataset"):
        plan([config(tmp_path)])


def test_a_folder_of_files_is_streamed_by_shards(tmp_path: Path, everything: Callable[..., Any]) -> None:
    for part in range(3):
        lines = [json.dumps(row) for row in ROWS[part * 10 : part * 10 + 10]]
        (tmp_path / f"part-{part}.jsonl").write_text("\n".join(lines))
    found = everything(config(tmp_path))
    assert (found.read, found.splits) == (30, 3)
    assert sorted(row["key"] for row in found.rows) == sorted(row["id"] for row in ROWS[:30])
    places = {(row["file"], row["offset"]) for row in found.rows}
    assert places == {(f"dataset:{tmp_path}/train#{part:05d}", n) for part in range(3) for n in range(10)}


def test_an_empty_folder_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot open dataset"):
        plan([config(tmp_path)])
