from __future__ import annotations

import pytest
import torch

from trainer.config import EvidenceStrengthConfig, RegulariserConfig, StrengthScheduleConfig
from trainer.regularisers.base import Evidence
from trainer.steps.strength import strength_at, strengths

EVIDENCE = Evidence(
    train_tokens=torch.tensor([100.0, 400.0, 1600.0]),
    share=torch.tensor([0.2, 0.3, 0.5]),
    passes=torch.tensor([9.0, 1.0, 0.0]),
)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [2.0, 1.0, 0.5]),  # the root of median 400 over the tokens
        ({"power": 1, "reference": 100}, [1.0, 0.25, 0.0625]),
        ({"power": 1, "largest": 3, "smallest": 0.5}, [3.0, 1.0, 0.5]),
        ({"power": 0}, [1.0, 1.0, 1.0]),
        ({"by": "repeats"}, [3.0, 1.0, 0.0]),
        ({"by": "repeats", "power": 1, "reference": 3}, [3.0, 1 / 3, 0.0]),
    ],
)
def test_by_evidence(settings: dict[str, object], expected: list[float]) -> None:
    found = strengths(EvidenceStrengthConfig.model_validate(settings), EVIDENCE)
    assert found.tolist() == pytest.approx(expected)


def test_over_a_part_of_the_run() -> None:
    schedule = StrengthScheduleConfig(kind="linear", start=0.2, end=0.7, final=0.5)
    entry = RegulariserConfig(name="deviation", strength=2.0, schedule=schedule)
    found = [strength_at(entry, step, 10) for step in range(10)]
    assert found == pytest.approx([0, 0, 2.0, 1.75, 1.5, 1.25, 1.0, 0, 0, 0])


def test_warmup_is_a_share_of_the_part() -> None:
    schedule = StrengthScheduleConfig(start=0.5, warmup=0.6)
    entry = RegulariserConfig(name="deviation", schedule=schedule)
    assert [strength_at(entry, step, 10) for step in range(4, 10)] == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1])


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"start 0\.5 is not before end 0\.5"):
        StrengthScheduleConfig(start=0.5, end=0.5)
    with pytest.raises(ValueError, match=r"smallest 2\.0 is above largest 1\.0"):
        EvidenceStrengthConfig(smallest=2, largest=1)
    with pytest.raises(ValueError, match=r"'orthogonality', which is no sum over languages\. Remove it; .*deviation"):
        RegulariserConfig(name="orthogonality", by_evidence=EvidenceStrengthConfig())
