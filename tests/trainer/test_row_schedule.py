from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trainer.config import BatchGrowthConfig, TrainConfig
from trainer.row_schedule import RowSchedule


def test_without_growth_all_steps_are_alike() -> None:
    schedule = RowSchedule(6)
    assert [schedule.before(step) for step in (0, 1, 7)] == [0, 6, 42]
    assert schedule.of(3) == range(18, 24)
    assert schedule.smallest == 6


def test_rows_grow_linearly_and_stay() -> None:
    schedule = RowSchedule(40, start=0.25, growth=6)
    assert [len(schedule.of(step)) for step in range(9)] == [12, 18, 22, 28, 32, 38, 40, 40, 40]
    assert schedule.before(6) == 150  # 6 steps of 25 rows in the mean
    even = RowSchedule(40, start=0.25, growth=6, multiple=4)
    assert [len(even.of(step)) for step in range(9)] == [12, 16, 24, 28, 32, 36, 40, 40, 40]
    assert (schedule.smallest, even.smallest) == (10, 8)


@given(
    multiple=st.integers(1, 8),
    times=st.integers(1, 40),
    start=st.floats(0.05, 1.0),
    growth=st.integers(0, 60),
    step=st.integers(0, 100),
)
def test_every_row_belongs_to_one_step(multiple: int, times: int, start: float, growth: int, step: int) -> None:
    schedule = RowSchedule(multiple * times, start=start, growth=growth, multiple=multiple)
    assert schedule.of(step).stop == schedule.of(step + 1).start
    assert len(schedule.of(step)) % multiple == 0
    assert schedule.smallest <= len(schedule.of(step)) <= schedule.full + multiple
    if step >= growth:
        assert len(schedule.of(step)) == schedule.full


def test_a_budget_of_tokens_takes_more_steps() -> None:
    assert TrainConfig(tokens=32_000, rows=10).total_steps(32) == 100
    grown = TrainConfig(tokens=32_000, rows=10, batch_growth=BatchGrowthConfig(start=0.25))
    steps = grown.total_steps(32)
    assert steps == 160  # 6.25 rows in the mean
    assert grown.row_schedule(steps).before(steps) * 32 >= 32_000


def test_rows_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"`rows` \(10\) has to be a multiple of it"):
        TrainConfig(rows=10, batch_growth=BatchGrowthConfig(multiple=4))
    with pytest.raises(ValidationError, match=r"first step's share of them \(2\) at least as many"):
        TrainConfig(rows=8, batch_growth=BatchGrowthConfig(start=0.25, multiple=4))
