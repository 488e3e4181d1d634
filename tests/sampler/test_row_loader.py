"""The loader whose workers read whole blocks: the same batches as torch's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sampler import SamplerConfig
from sampler.feedback.config import FeedbackConfig

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.utils.data import DataLoader  # noqa: E402

from sampler.torch import RowDataset, RowLoader, TensorBatch  # noqa: E402

CONFIG = SamplerConfig(row_tokens=16, block_rows=8, mixture="temperature")
FIELDS = ("tokens", "segments", "positions", "languages", "token_languages", "cu_seqlens")


@pytest.fixture(scope="module")
def root(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    lengths = {"aaa_Latn": [7, 11, 13] * 40, "bbb_Cyrl": [5, 9] * 10, "ccc_Arab": [3, 4, 30]}
    return str(made_up.corpus(tmp_path_factory.mktemp("corpus"), lengths))


def dataset(root: str, config: SamplerConfig = CONFIG, **options: Any) -> RowDataset:
    return RowDataset(root, tokenizer="spm", config=config, seed=5, **options)


def assert_same(found: list[TensorBatch], expected: list[TensorBatch]) -> None:
    assert [batch["next_row"] for batch in found] == [batch["next_row"] for batch in expected]
    for one, other in zip(found, expected, strict=True):
        for name in FIELDS:
            assert torch.equal(one[name], other[name]), name


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_same_batches_whatever_the_shape_of_a_step(root: str, data: st.DataObject) -> None:
    world = data.draw(st.integers(1, 3))
    shape = {
        "batch_rows": data.draw(st.integers(1, 11)),
        "world": world,
        "rank": data.draw(st.integers(0, world - 1)),
        "stop": data.draw(st.integers(0, 90)),
    }
    start = data.draw(st.integers(0, 40))
    state = dataset(root, **shape).state_dict(start)
    one, other = dataset(root, **shape), dataset(root, **shape)
    one.load_state_dict(state)
    other.load_state_dict(state)
    assert_same(list(RowLoader(one)), list(DataLoader(other, batch_size=None)))


def test_with_worker_processes_and_a_resume(root: str) -> None:
    whole = list(DataLoader(dataset(root, batch_rows=3, stop=70), batch_size=None))
    found: list[TensorBatch] = []
    first = dataset(root, batch_rows=3, stop=70)
    for batch in RowLoader(first, num_workers=2):
        found.append(batch)
        if len(found) == 7:
            break
    second = dataset(root, batch_rows=3, stop=70)
    second.load_state_dict(first.state_dict(found[-1]["next_row"]))
    found += RowLoader(second, num_workers=1)
    assert_same(found, whole)


@pytest.mark.parametrize("delay", [0, 1, 2])
def test_feedback_never_waits_for_itself(root: str, delay: int) -> None:
    """A worker must not hold back rows whose losses the decision that it waits for is made from."""
    feedback = FeedbackConfig(policy="exponentiated_gradient", every=3, delay=delay, min_tokens=1)
    config = CONFIG.model_copy(update={"feedback": feedback})

    def read(workers: int) -> list[TensorBatch]:
        data = dataset(root, config, batch_rows=1, stop=80, wait_seconds=20)
        found = []
        for batch in RowLoader(data, num_workers=workers):
            found.append(batch)
            data.observe(batch, batch["tokens"].sum(dim=1, dtype=torch.float32) / 100)
        data.close()
        return found

    expected = read(0)
    assert len(expected) == 80
    assert_same(read(2), expected)


def test_large_batches_come_through_shared_memory(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sampler.torch._SHARED_BYTES", 64)
    expected = list(DataLoader(dataset(root, batch_rows=3, stop=40), batch_size=None))
    found = list(RowLoader(dataset(root, batch_rows=3, stop=40), num_workers=1, multiprocessing_context="fork"))
    assert_same(found, expected)
    assert found[0]._tokens.is_shared()
