"""Feedback through torch's loader: the same rows under any workers and ranks, and after any stop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.errors import ConfigurationError, CorpusError
from sampler import CurriculumStream, SamplerConfig
from sampler.feedback.gate import GateTimeout

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.utils.data import DataLoader  # noqa: E402

from sampler.torch import RowDataset  # noqa: E402

STOP = 8 * 26


def config(policy: str = "exponentiated_gradient", **feedback: Any) -> SamplerConfig:
    settings = {"policy": policy, "every": 4, "delay": 2, "min_tokens": 64, "rate": 2.0, **feedback}
    return SamplerConfig.model_validate(
        {"row_tokens": 16, "block_rows": 8, "mixture": "temperature", "feedback": settings}
    )


@pytest.fixture(scope="module")
def root(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    lengths = {"aaa_Latn": [7, 11, 13] * 40, "bbb_Cyrl": [5, 9] * 20, "ccc_Arab": [3, 4, 30] * 3}
    return str(made_up.corpus(tmp_path_factory.mktemp("corpus"), lengths))


def dataset(root: str, **options: Any) -> RowDataset:
    options = {"config": config(), "batch_rows": 4, "stop": STOP, "wait_seconds": 60, **options}
    return RowDataset(root, tokenizer="spm", seed=5, **options)


def losses(first: int, languages: Any) -> Any:
    """A made-up loss of each row: by language, falling with the row's number."""
    rows = first + torch.arange(len(languages))
    level = torch.tensor([2.0, 5.0, 3.5])[languages.long()]
    return 16 * (level - languages * 0.004 * rows + 0.1 * (rows % 3))


def run(data: RowDataset, workers: int, steps: int | None = None, prefetch: int = 4) -> list[Any]:
    """The rows of so many steps, with their losses reported."""
    options = {"prefetch_factor": prefetch} if workers else {}
    read: list[Any] = []
    for batch in DataLoader(data, batch_size=None, num_workers=workers, **options):
        first = batch["next_row"] - data.step_rows + data.rank * data.batch_rows
        data.observe(batch, losses(first, batch["languages"]))
        read.append(batch["tokens"].numpy())
        if len(read) == steps:
            data.close()
            break
    return read


@pytest.fixture(scope="module")
def expected(root: str) -> Any:
    data = dataset(root)
    rows = np.concatenate(run(data, 0))
    changes = [entry["block"] for entry in data.stream.state(STOP)["changes"]]
    assert changes == [4, 8, 12, 16, 20, 24, 28]
    return rows


@pytest.mark.parametrize(("workers", "prefetch"), [(1, 4), (2, 4), (2, 1)])
def test_workers_do_not_change_the_rows(root: str, expected: Any, workers: int, prefetch: int) -> None:
    # Two workers with prefetch 4 read 32 rows ahead, more than the 16 of the delay: they have to wait.
    assert np.array_equal(np.concatenate(run(dataset(root), workers, prefetch=prefetch)), expected)


def test_the_log_alone_gives_the_rows_again(root: str, expected: Any) -> None:
    data = dataset(root)
    run(data, 0)
    state = json.loads(json.dumps(data.stream.state(0)))
    replay = CurriculumStream(root, tokenizer="spm", config=config(), seed=5)
    replay.load_state(state)
    assert np.array_equal(replay.rows(range(STOP)).tokens, expected)


def test_the_mixture_did_follow(root: str, expected: Any) -> None:
    fixed = CurriculumStream(root, tokenizer="spm", config=config("none"), seed=5).rows(range(STOP)).tokens
    assert np.array_equal(fixed[:32], expected[:32])
    assert not np.array_equal(fixed, expected)


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stop=st.integers(1, STOP // 4 - 1),
    batches=st.sampled_from([1, 2, 4, 8, 16]),
    policy=st.sampled_from(["exponentiated_gradient", "progress"]),
)
def test_a_run_that_was_stopped_anywhere_goes_on_alike(root: str, stop: int, batches: int, policy: str) -> None:
    whole = np.concatenate(run(dataset(root, config=config(policy)), 0))
    first = dataset(root, config=config(policy))
    begun = run(first, 0, stop)
    state = json.loads(json.dumps(first.state_dict(4 * stop)))
    second = dataset(root, config=config(policy), batch_rows=batches)
    second.load_state_dict(state)
    rest = run(second, 0)
    joined = np.concatenate([*begun, *rest])
    assert len(joined) > STOP - batches
    assert np.array_equal(joined, whole[: len(joined)])


@pytest.mark.parametrize("workers", [(0, 2), (2, 0)])
def test_a_run_goes_on_under_other_workers_twice(root: str, expected: Any, workers: tuple[int, int]) -> None:
    read: list[Any] = []
    state = None
    for number, count in enumerate((*workers, workers[0])):
        data = dataset(root)
        if state is not None:
            data.load_state_dict(json.loads(json.dumps(state)))
        read += run(data, count, steps=None if number == 2 else 15)
        state = data.state_dict(4 * len(read))
    assert np.array_equal(np.concatenate(read), expected)


RANKS = """
    import sys
    import numpy as np
    import torch.distributed as dist
    sys.path.insert(0, sys.argv[1])
    import test_row_dataset as test

    dist.init_process_group("gloo")
    rank = dist.get_rank()
    for workers in (0, 2):
        data = test.dataset(sys.argv[2], rank=rank, world=2)
        read = test.run(data, workers, steps=9)
        state = data.state_dict(9 * 8)
        data = test.dataset(sys.argv[2], rank=rank, world=2)
        data.load_state_dict(state)
        np.save(f"{sys.argv[3]}/{workers}-{rank}.npy", np.concatenate([*read, *test.run(data, workers)]))
    dist.destroy_process_group()
"""


@pytest.mark.slow
def test_two_ranks_with_two_workers_read_the_same_rows(root: str, expected: Any, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(RANKS))
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script),
         str(Path(__file__).parent), root, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for workers in (0, 2):
        ranks = [np.load(tmp_path / f"{workers}-{rank}.npy").reshape(-1, 4, 16) for rank in range(2)]
        assert np.array_equal(np.stack(ranks, axis=1).reshape(-1, 16), expected)


def test_losses_of_tokens_add_up_to_those_of_rows(root: str) -> None:
    by_row, by_token = dataset(root), dataset(root)
    for batch in DataLoader(by_row, batch_size=None):
        row = losses(batch["next_row"] - 4, batch["languages"]).round()
        mask = torch.arange(16).expand(4, 16) < 8
        by_row.observe(batch, row, torch.full((4,), 8))
        by_token.observe(batch, (row / 8).unsqueeze(1) * mask, mask)
        if batch["next_row"] == 40:
            break
    assert by_row.state_dict(40) == by_token.state_dict(40)


def test_losses_of_mixed_rows_are_those_of_their_tokens(root: str) -> None:
    mixed = SamplerConfig.model_validate({**config().model_dump(), "rows": "mixed"})
    data = dataset(root, config=mixed, batch_rows=8)
    batch = next(iter(data))
    values = torch.arange(128.0).view(8, 16)
    data.observe(batch, values, values > 3)
    data.state_dict(8)
    sums = data.feedback.losses.sums[0]
    languages = batch["token_languages"]
    assert len(languages.unique()) == 3
    for index in range(3):
        here = (languages == index) & (values > 3)
        assert sums[index].tolist() == [1024 * int(values[here].sum()), int(here.sum()), 0]
    with pytest.raises(ConfigurationError, match="rows are mixed"):
        data.observe(batch, values.sum(1))


def test_a_main_process_that_reports_nothing(root: str) -> None:
    with pytest.raises(ConfigurationError, match=r"block 4 is not decided.*dataset.observe"):
        list(DataLoader(dataset(root), batch_size=None))
    with pytest.raises(GateTimeout, match=r"block 4 waits for decision 1 .*it did not come in 0 seconds"):
        list(DataLoader(dataset(root, wait_seconds=0.2), batch_size=None, num_workers=1, prefetch_factor=9))


def test_a_step_larger_than_the_delay(root: str) -> None:
    with pytest.raises(ConfigurationError, match="less than the 18 rows of a step"):
        dataset(root, batch_rows=9, world=2)


def test_states_that_do_not_know_the_losses(root: str) -> None:
    data = dataset(root)
    with pytest.raises(ConfigurationError, match="a worker does not know the losses"):
        data.state_dict()
    without = {"start": 0, "row": None, "reader": None, "stream": data.stream.state(0)}
    with pytest.raises(CorpusError, match="taken without feedback"):
        data.load_state_dict(without)


def test_without_a_policy_nothing_is_kept(root: str) -> None:
    data = dataset(root, config=config("none"))
    batch = next(iter(data))
    data.observe(batch, torch.zeros(4))
    assert "feedback" not in data.state_dict(4)
    assert data.stream.decided is None
