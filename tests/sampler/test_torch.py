"""The data set for torch's loaders."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.errors import ConfigurationError, CorpusError
from sampler import CurriculumStream, SamplerConfig

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.utils.data import DataLoader  # noqa: E402

import sampler.torch as adapter  # noqa: E402
from sampler.torch import RowDataset, TensorBatch, any_topology  # noqa: E402

CONFIG = SamplerConfig(row_tokens=16, block_rows=8, mixture="temperature")


@pytest.fixture(scope="module")
def root(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    lengths = {"aaa_Latn": [7, 11, 13] * 40, "bbb_Cyrl": [5, 9] * 10, "ccc_Arab": [3, 4, 30]}
    return str(made_up.corpus(tmp_path_factory.mktemp("corpus"), lengths))


@pytest.fixture(scope="module")
def expected(root: str) -> Any:
    """Tokens of the first 400 rows."""
    return CurriculumStream(root, tokenizer="spm", config=CONFIG, seed=5).rows(range(400)).tokens


def dataset(root: str, **options: Any) -> RowDataset:
    return RowDataset(root, tokenizer="spm", config=CONFIG, seed=5, **options)


def loader(data: RowDataset, workers: int, **options: Any) -> DataLoader[TensorBatch]:
    return DataLoader(data, batch_size=None, num_workers=workers, **options)


def stateful(data: RowDataset, workers: int, **options: Any) -> Any:
    torchdata = pytest.importorskip("torchdata.stateful_dataloader", reason="torchdata is not installed")
    return torchdata.StatefulDataLoader(data, batch_size=None, num_workers=workers, **options)


def joined(batches: Any) -> Any:
    return np.concatenate([batch["tokens"].numpy() for batch in batches])


def test_batches_are_the_streams_rows(root: str) -> None:
    batches = list(loader(dataset(root, batch_rows=5, stop=21), 0))
    expected = CurriculumStream(root, tokenizer="spm", config=CONFIG, seed=5).rows(range(20))
    assert [batch["next_row"] for batch in batches] == [5, 10, 15, 20]
    for name in ("tokens", "segments", "positions", "languages", "token_languages"):
        array = torch.cat([batch[name] for batch in batches]).numpy()
        assert np.array_equal(array, getattr(expected, name))
    assert batches[0]["tokens"].dtype == torch.int64
    assert batches[0]["segments"].dtype == batches[0]["positions"].dtype == torch.int32
    assert batches[0]["languages"].dtype == batches[0]["cu_seqlens"].dtype == torch.int32
    assert all(batches[0][name].is_contiguous() for name in ("tokens", "segments", "positions", "languages"))


def test_a_batch_of_known_pieces() -> None:
    batch = TensorBatch(
        torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]], dtype=torch.int32),
        torch.tensor([3, 1, 2, 1, 1], dtype=torch.int32),
        torch.tensor([1, 1, 0, 2, 0], dtype=torch.int32),
        torch.tensor([1, -1], dtype=torch.int32),
        next_row=2,
    )
    for copy in (batch, pickle.loads(pickle.dumps(batch)), batch.to("cpu")):
        assert copy["tokens"].tolist() == [[5, 6, 7, 8], [9, 10, 11, 12]]
        assert copy["segments"].tolist() == [[0, 0, 0, 1], [0, 0, 1, 2]]
        assert copy["positions"].tolist() == [[0, 1, 2, 0], [0, 1, 0, 0]]
        assert copy["cu_seqlens"].tolist() == [0, 3, 4, 6, 7, 8]
        assert (copy["languages"].tolist(), copy["next_row"]) == ([1, -1], 2)
        assert copy["token_languages"].tolist() == [[1, 1, 1, 1], [0, 0, 2, 0]]
    assert set(dict(batch)) == {
        "tokens", "segments", "positions", "languages", "token_languages", "cu_seqlens", "next_row"
    }  # fmt: skip
    assert len(batch) == 7
    assert "labels" not in batch
    with pytest.raises(KeyError):
        batch["labels"]


@pytest.mark.parametrize("vocabulary", [1 << 16, 1 << 17])
def test_a_batch_crosses_processes_in_the_smallest_type(made_up: Any, tmp_path: Any, vocabulary: int) -> None:
    root = made_up.corpus(tmp_path, {"aaa_Latn": [500] * 40}, vocabulary=vocabulary)
    config = SamplerConfig(row_tokens=1024)
    data = RowDataset(root, tokenizer="spm", config=config, seed=0, batch_rows=4, stop=4)
    size = 4 * 1024 * (2 if vocabulary == 1 << 16 else 4)
    assert size < len(pickle.dumps(data.batch(0))) < size + 1000


@pytest.mark.parametrize(("workers", "world"), [(0, 1), (2, 1), (0, 3), (2, 2)])
def test_ranks_and_workers_share_the_same_rows(root: str, expected: Any, workers: int, world: int) -> None:
    ranks = [list(loader(dataset(root, batch_rows=2, rank=r, world=world, stop=24), workers)) for r in range(world)]
    assert np.array_equal(joined(batch for step in zip(*ranks, strict=True) for batch in step), expected[:24])


@pytest.mark.parametrize(
    ("workers", "options"),
    [
        (1, {"multiprocessing_context": "spawn", "prefetch_factor": 1, "persistent_workers": True}),
        (2, {"multiprocessing_context": "fork", "prefetch_factor": 7, "persistent_workers": True}),
        (2, {"multiprocessing_context": "fork"}),
    ],
    ids=str,
)
def test_ways_to_start_and_prefetch(root: str, expected: Any, workers: int, options: dict[str, Any]) -> None:
    data = dataset(root, batch_rows=3, stop=19)
    data.load_state_dict(dataset(root).state_dict(6))
    reader = loader(data, workers, **options)
    for _ in range(2):  # each iteration begins where the state was taken
        assert np.array_equal(joined(reader), expected[6:18])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no accelerator to lock pages for")
@pytest.mark.parametrize("workers", [0, 2])
def test_batches_go_through_locked_pages_to_the_device(root: str, expected: Any, workers: int) -> None:
    batches = list(loader(dataset(root, batch_rows=3, stop=12), workers, pin_memory=True))
    assert all(batch["tokens"].is_pinned() for batch in [batch.pin_memory() for batch in batches])
    there = [batch.to("cuda", non_blocking=True) for batch in batches]
    for name in ("tokens", "segments", "positions", "languages", "cu_seqlens"):
        assert all(batch[name].is_cuda for batch in there)
        assert all(torch.equal(a[name].cpu(), b[name]) for a, b in zip(there, batches, strict=True))
    assert np.array_equal(np.concatenate([batch["tokens"].cpu().numpy() for batch in there]), expected[:12])


def test_all_ranks_end_after_the_same_step(root: str) -> None:
    steps = [len(list(loader(dataset(root, batch_rows=2, rank=r, world=3, stop=22), r))) for r in range(3)]
    assert steps == [3, 3, 3]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(("every", "stopped"), [(1, 0), (1, 5), (3, 7)])
def test_a_stateful_loader_resumes_exactly_twice(
    root: str, expected: Any, workers: int, every: int, stopped: int
) -> None:
    options = {"snapshot_every_n_steps": every}
    first = stateful(dataset(root, batch_rows=4, stop=80), workers, **options)
    used = [batch for _, batch in zip(range(stopped), first, strict=False)]
    state = json.loads(json.dumps(first.state_dict()))
    second = stateful(dataset(root, batch_rows=4, stop=80), workers, **options)
    second.load_state_dict(state)
    used += [batch for _, batch in zip(range(2), second, strict=False)]
    state = json.loads(json.dumps(second.state_dict()))
    third = stateful(dataset(root, batch_rows=4, stop=80), workers, **options)
    third.load_state_dict(state)
    assert np.array_equal(joined([*used, *third]), expected[:80])
    # The same state, under two ranks and in processes that torchdata would refuse it in.
    ranks = []
    for rank in range(2):
        other = dataset(root, batch_rows=3, rank=rank, world=2, stop=80)
        other.load_state_dict(any_topology(state))
        ranks.append(list(other))
    rest = joined(batch for step in zip(*ranks, strict=True) for batch in step)
    row = 4 * (stopped + 2)
    assert np.array_equal(rest, expected[row : row + len(rest)])
    assert 80 - 6 < row + len(rest) <= 80


def test_a_persistent_stateful_loader_resumes_in_its_second_iteration(root: str, expected: Any) -> None:
    first = stateful(dataset(root, batch_rows=4, stop=24), 2, persistent_workers=True)
    assert np.array_equal(joined(first), expected[:24])
    iterator = iter(first)
    assert next(iterator)["next_row"] == 4
    state = first.state_dict()
    del iterator
    second = stateful(dataset(root, batch_rows=4, stop=24), 2)
    second.load_state_dict(state)
    assert np.array_equal(joined(second), expected[4:24])


def simulate(root: str, state: Any, ranks: int, workers: int, rows: int, steps: int) -> Iterator[tuple[int, Any]]:
    """What ranks with workers read in turns, without the processes: the number of the next row, and tokens."""
    readers: list[list[Iterator[TensorBatch]]] = []
    for rank in range(ranks):
        data = []
        for worker in range(max(1, workers)):
            one = dataset(root, batch_rows=rows, rank=rank, world=ranks)
            if state is not None:
                one.load_state_dict(state)
            with as_worker(worker, max(1, workers)):
                data.append(iter(one))
        readers.append(data)
    for step in range(steps):
        for rank in range(ranks):
            batch = next(readers[rank][step % max(1, workers)])
            yield batch["next_row"], batch["tokens"].numpy()


class as_worker:  # noqa: N801 - used as a statement
    """Lets data sets take themselves to be in a worker process."""

    def __init__(self, index: int, workers: int) -> None:
        self.mine: Callable[[], tuple[int, int]] = lambda: (index, workers)

    def __enter__(self) -> None:
        self.before, adapter._worker = adapter._worker, self.mine

    def __exit__(self, *error: object) -> None:
        adapter._worker = self.before


topologies = st.tuples(st.integers(1, 4), st.integers(0, 4), st.integers(1, 5), st.integers(1, 6))


@given(runs=st.lists(topologies, min_size=3, max_size=3))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_from_any_ranks_and_workers_to_any_other_twice(root: str, expected: Any, runs: list[Any]) -> None:
    read, state, row = [], None, 0
    for ranks, workers, rows, steps in runs:
        for following, tokens in simulate(root, state, ranks, workers, rows, steps):
            read.append(tokens)
            row = following
        # Only one of the ranks saves, as a training run does.
        saver = dataset(root)
        if state is not None:
            saver.load_state_dict(state)
        state = json.loads(json.dumps(saver.state_dict(row)))
    assert row == sum(ranks * rows * steps for ranks, _, rows, steps in runs)
    assert np.array_equal(np.concatenate(read), expected[:row])


def test_a_loader_that_keeps_the_datasets_own_state_resumes_exactly(root: str, expected: Any) -> None:
    data = dataset(root, batch_rows=4, stop=40)
    iterator = iter(data)
    for _ in range(3):
        next(iterator)
    state = data.state_dict()
    resumed = dataset(root, batch_rows=4, stop=40)
    resumed.load_state_dict(json.loads(json.dumps(state)))
    assert np.array_equal(joined(resumed), expected[12:40])
    assert np.array_equal(joined(resumed), expected[:40])


def test_one_readers_state_is_refused_elsewhere(root: str) -> None:
    data = dataset(root, batch_rows=4)
    next(iter(data))
    with pytest.raises(CorpusError, match=r"'world': 2.*any_topology"):
        dataset(root, batch_rows=4, world=2).load_state_dict(data.state_dict())
    state = data.state_dict()
    with as_worker(1, 2), pytest.raises(CorpusError, match=r"'workers': 1.*'workers': 2"):
        dataset(root, batch_rows=4).load_state_dict(state)
    with pytest.raises(CorpusError, match="not the state of a loader"):
        any_topology({"_num_yielded": 3})


def test_a_changed_mixture_reaches_workers_started_afterwards(root: str) -> None:
    data = dataset(root, batch_rows=8, stop=24)
    data.stream.set_mixture({"ccc_Arab": 1.0}, "by hand", block=1)
    languages = [batch["languages"].tolist() for batch in loader(data, 2)]
    assert languages[1] == languages[2] == [2] * 8
    assert languages[0] != [2] * 8


def test_impossible_ranks(root: str) -> None:
    with pytest.raises(ConfigurationError, match="rank 2 of 2"):
        dataset(root, rank=2, world=2)
