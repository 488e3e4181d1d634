from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.config import ScheduleConfig, StrengthScheduleConfig
from trainer.optimiser.schedules import learning_rate_share, linear, strength_share


def shares(config: ScheduleConfig, total: int) -> list[float]:
    return [round(learning_rate_share(config, step, total), 4) for step in range(total)]


def test_linear() -> None:
    config = ScheduleConfig(kind="linear", warmup=0.2, final=0.0)
    assert shares(config, 10) == [0.3333, 0.6667, 1.0, 0.8571, 0.7143, 0.5714, 0.4286, 0.2857, 0.1429, 0.0]


def test_cosine() -> None:
    config = ScheduleConfig(kind="cosine", warmup=0.0, final=0.1)
    assert shares(config, 5) == [1.0, 0.8682, 0.55, 0.2318, 0.1]


def test_constant_then_decay() -> None:
    config = ScheduleConfig(kind="constant", warmup=0.0, decay=0.4, final=0.0)
    assert shares(config, 10) == [1.0] * 7 + [0.6667, 0.3333, 0.0]


def test_strength_warms_up_and_moves_to_its_final_share() -> None:
    config = StrengthScheduleConfig(kind="linear", warmup=0.5, final=3.0)
    assert [round(strength_share(config, step, 8), 4) for step in range(8)] == [
        0.2, 0.4, 0.6, 0.8, 1.0, 1.6667, 2.3333, 3.0,
    ]  # fmt: skip
    assert strength_share(StrengthScheduleConfig(), 0, 8) == 1.0


def test_linear_between_values() -> None:
    assert [linear(0.3, 0.1, step, 3) for step in range(3)] == pytest.approx([0.3, 0.2, 0.1])
    assert linear(0.3, 0.1, 0, 1) == 0.3


@given(
    kind=st.sampled_from(["cosine", "linear", "constant"]),
    warmup=st.floats(0, 1),
    decay=st.floats(0, 1),
    final=st.floats(0, 1),
    total=st.integers(1, 200),
)
def test_shares_stay_between_zero_and_the_peak(
    kind: str, warmup: float, decay: float, final: float, total: int
) -> None:
    config = ScheduleConfig.model_validate({"kind": kind, "warmup": warmup, "decay": decay, "final": final})
    for step in range(total):
        assert 0 <= learning_rate_share(config, step, total) <= 1
    assert learning_rate_share(config, 0, total) > 0
