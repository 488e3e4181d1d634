from __future__ import annotations

import numpy as np
import torch

from trainer.run.lines import gaps, skipped_line
from trainer.steps.penalties import PenaltyReport
from trainer.steps.step import StepReport


def test_gaps_come_from_the_losses_since_the_last_evaluation() -> None:
    line = {"languages": {"a": {"loss": 3.0}, "b": {"loss": 2.0}}}
    # b was not trained on since then, c was not evaluated
    found = gaps(line, np.array([[50.0, 20.0], [0.0, 0.0], [9.0, 3.0]]), ["a", "b", "c"])
    assert found == {"gaps": {"a": {"train_loss": 2.5, "gap": 0.5}}}


def test_a_skipped_step_names_its_rows_its_languages_and_what_was_not_finite() -> None:
    report = StepReport(
        learning_rate=0.1,
        weight_decay=0.0,
        dropout=0.0,
        grad_norm=float("nan"),
        stop=False,
        penalties={
            "good": PenaltyReport(torch.tensor(1.0), 1.0, {}),
            "bad": PenaltyReport(torch.tensor(float("inf")), 1.0, {}),
        },
        factors=None,
        not_finite=torch.tensor([[30.0, 2.0], [0.0, 0.0], [10.0, 0.0]]),
        minimised=torch.tensor(float("nan")),
        conflict=None,
    )
    assert skipped_line(5, report, range(16, 20), ["a", "b", "c"]) == {
        "kind": "skipped",
        "step": 5,
        "first_row": 16,
        "end_row": 20,
        "lr": 0.1,
        "languages": {"a": {"tokens": 30, "not_finite": 2}, "c": {"tokens": 10, "not_finite": 0}},
        "penalties": {"bad": "not finite"},
    }
