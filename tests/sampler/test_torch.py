"""The data set for torch's loader."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from corpus.errors import ConfigurationError
from sampler import CurriculumStream, SamplerConfig

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.utils.data import DataLoader  # noqa: E402

from sampler.torch import RowDataset  # noqa: E402

CONFIG = SamplerConfig(row_tokens=16, block_rows=8, mixture="temperature")


@pytest.fixture(scope="module")
def root(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    lengths = {"aaa_Latn": [7, 11, 13] * 40, "bbb_Cyrl": [5, 9] * 10, "ccc_Arab": [3, 4, 30]}
    return str(made_up.corpus(tmp_path_factory.mktemp("corpus"), lengths))


def dataset(root: str, **options: Any) -> RowDataset:
    return RowDataset(root, tokenizer="spm", config=CONFIG, seed=5, **options)


def loader(data: RowDataset, workers: int) -> DataLoader[dict[str, Any]]:
    return DataLoader(data, batch_size=None, num_workers=workers)


def test_batches_are_the_streams_rows(root: str) -> None:
    batches = list(loader(dataset(root, batch_rows=5, stop=21), 0))
    expected = CurriculumStream(root, tokenizer="spm", config=CONFIG, seed=5).rows(range(20))
    assert [batch["next_row"] for batch in batches] == [5, 10, 15, 20]
    for name, array in zip(("tokens", "segments", "positions", "languages"), expected, strict=True):
        joined = torch.cat([batch[name] for batch in batches])
        assert np.array_equal(joined.numpy(), array)
    assert batches[0]["tokens"].dtype == torch.int64
    assert batches[0]["segments"].dtype == batches[0]["languages"].dtype == torch.int32


@pytest.mark.parametrize(("workers", "world"), [(0, 1), (2, 1), (0, 3), (2, 2)])
def test_ranks_and_workers_share_the_same_rows(root: str, workers: int, world: int) -> None:
    expected = CurriculumStream(root, tokenizer="spm", config=CONFIG, seed=5).rows(range(24)).tokens
    ranks = [
        [
            batch["tokens"].numpy()
            for batch in loader(dataset(root, batch_rows=2, rank=r, world=world, stop=24), workers)
        ]
        for r in range(world)
    ]
    joined = np.concatenate([part for step in zip(*ranks, strict=True) for part in step])
    assert np.array_equal(joined, expected)


def test_a_state_moves_between_numbers_of_workers_and_ranks(root: str) -> None:
    expected = CurriculumStream(root, tokenizer="spm", config=CONFIG, seed=5).rows(range(60)).tokens
    data = dataset(root, batch_rows=3, stop=60)
    iterator = iter(loader(data, 2))
    used = [next(iterator) for _ in range(5)]
    del iterator
    state = json.loads(json.dumps(data.state_dict(used[-1]["next_row"])))
    assert state["start"] == 15
    second = []
    for rank in range(2):
        resumed = dataset(root, batch_rows=3, rank=rank, world=2, stop=60)
        resumed.load_state_dict(state)
        second.append([batch["tokens"].numpy() for batch in loader(resumed, 0)])
    joined = np.concatenate([part for step in zip(*second, strict=True) for part in step])
    assert np.array_equal(joined, expected[15:57])


def test_a_loader_that_keeps_the_datasets_own_state_resumes_exactly(root: str) -> None:
    data = dataset(root, batch_rows=4, stop=40)
    iterator = iter(data)
    for _ in range(3):
        next(iterator)
    state = data.state_dict()
    rest = [batch["tokens"].numpy() for batch in iterator]
    resumed = dataset(root, batch_rows=4, stop=40)
    resumed.load_state_dict(json.loads(json.dumps(state)))
    again = [batch["tokens"].numpy() for batch in resumed]
    assert len(rest) == len(again) == 7
    assert all(np.array_equal(left, right) for left, right in zip(rest, again, strict=True))


def test_a_changed_mixture_reaches_workers_started_afterwards(root: str) -> None:
    data = dataset(root, batch_rows=8, stop=24)
    data.stream.set_mixture({"ccc_Arab": 1.0}, "by hand", block=1)
    languages = [batch["languages"].tolist() for batch in loader(data, 2)]
    assert languages[1] == languages[2] == [2] * 8
    assert languages[0] != [2] * 8


def test_impossible_ranks(root: str) -> None:
    with pytest.raises(ConfigurationError, match="rank 2 of 2"):
        dataset(root, rank=2, world=2)
