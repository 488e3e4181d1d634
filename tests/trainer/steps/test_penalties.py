from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from corpus.config import Config
from tests.trainer.steps.test_step import ALONE, stepper
from trainer import regularisers
from trainer.config import EvidenceStrengthConfig, LogConfig, RegulariserConfig, StrengthScheduleConfig
from trainer.regularisers.base import Moment, Penalty
from trainer.run.lines import penalty_figures
from trainer.steps.penalties import measured, needs


class Nothing(Config):
    """No options."""


def size(moment: Moment, options: Nothing, memory: Mapping[str, Tensor]) -> Penalty:
    """Half the square of the final gains, all 1 at the start: its gradient are the gains."""
    calls = memory.get("calls", torch.zeros(())) + 1
    return Penalty(moment.model.final_norm.weight.square().sum() / 2, {"calls": calls}, {"calls": calls})


def weighed(moment: Moment, options: Nothing, memory: Mapping[str, Tensor]) -> Penalty:
    strengths = moment.token_strengths
    assert strengths is not None
    tokens = moment.mean_over_tokens(torch.ones(len(moment.labels)))
    return Penalty(moment.mean_over_tokens(strengths) + 0 * moment.losses.sum(), {"tokens": tokens})


def twice(moment: Moment, options: Nothing, memory: Mapping[str, Tensor]) -> Penalty:
    """How far a second pass over rows 0 and 2 is from the first."""
    rows = torch.tensor([0, 2])
    assert moment.again_on is not None
    outputs, places = moment.again_on(rows)
    same = (outputs.logits - moment.outputs.logits[places]).abs().max()
    length = moment.batch.tokens.shape[1]
    assert set((moment.batch.select[places] // length).tolist()) == {0, 2}
    assert len(places) == 18  # 8 in row 0, 10 in row 2
    return Penalty(same + 0 * moment.losses.sum())


regularisers.register("test-size", Nothing, lambda: size)
regularisers.register("test-weighed", Nothing, lambda: weighed, reads_rows=True, by_language=True)
regularisers.register("test-twice", Nothing, lambda: twice, reads_rows=True)


def test_shares_of_loss_and_gradient() -> None:
    entry = RegulariserConfig(name="test-size", strength=0.5)
    plain = stepper(penalties=())
    step = stepper(penalties=(entry,), log=LogConfig(every=1, shares_every=1))
    loss, report = plain(0).minimised.item(), step(0)
    figures = penalty_figures(report, ALONE)["test-size"]
    assert figures["value"] == pytest.approx(8.0)  # 16 gains of 1
    assert figures["share_of_loss"] == pytest.approx(4 / (loss + 4))
    assert figures["share_of_gradient"] == pytest.approx(0.5 * 4 / report.grad_norm)


def test_measuring_does_not_change_the_step_and_is_left_out_where_not_asked_for() -> None:
    entries = (RegulariserConfig(name="test-size", strength=0.5), RegulariserConfig(name="deviation"))
    plain, step = stepper(penalties=entries), stepper(penalties=entries, log=LogConfig(every=1, shares_every=2))
    for number in range(3):
        first, second = plain(number), step(number)
        assert first.grad_norm == second.grad_norm
        assert first.penalties["test-size"].gradient_norm is None
        assert (second.penalties["test-size"].gradient_norm is not None) == (number == 1)
    for name, value in plain.model.state_dict().items():
        assert torch.equal(value, step.model.state_dict()[name])


def test_the_gradient_of_all_passes_is_measured() -> None:
    entry = RegulariserConfig(name="test-weighed", by_evidence=EvidenceStrengthConfig(power=0))
    log = LogConfig(every=1, shares_every=1)
    whole, parts = stepper(penalties=(entry,), log=log)(0), stepper(penalties=(entry,), log=log, passes=3)(0)
    for report in (whole, parts):
        figures = penalty_figures(report, ALONE)["test-weighed"]
        assert figures["value"] == pytest.approx(1.0)
        assert figures["share_of_gradient"] == 0.0


def test_strength_of_a_language_is_that_of_its_tokens_whatever_the_passes() -> None:
    entry = RegulariserConfig(name="test-weighed", by_evidence=EvidenceStrengthConfig(power=1, largest=100))
    # train_tokens are 100, 1000 and 10,000: factors 10, 1 and 0.1. Rows i predict 8 + i % 6 tokens of language i % 3.
    tokens = [8 + number % 6 for number in range(8)]
    expected = sum(count * (10, 1, 0.1)[number % 3] for number, count in enumerate(tokens)) / sum(tokens)
    for passes in (8, 3):
        assert stepper(penalties=(entry,), passes=passes)(0).penalties["test-weighed"].value.item() == pytest.approx(
            expected
        )


def test_some_rows_once_more() -> None:
    assert stepper(penalties=(RegulariserConfig(name="test-twice"),))(0).penalties["test-twice"].value < 1e-5


def test_outside_its_part_of_the_run_a_penalty_is_not_computed_and_remembers() -> None:
    entry = RegulariserConfig(name="test-size", schedule=StrengthScheduleConfig(start=0.2, end=0.4))
    step = stepper(penalties=(entry,))
    found = [step(number).penalties.get("test-size") for number in range(5)]
    assert [report and report.metrics["calls"].item() for report in found] == [None, None, 1, 2, None]
    assert step.tensors()["regulariser/test-size/calls"] == 2


def test_lines_in_which_gradients_are_measured() -> None:
    config = LogConfig(every=10, shares_every=25)
    assert [done for done in range(1, 101) if measured(config, done, 100)] == [30, 50, 80, 100]
    assert not any(measured(LogConfig(every=10), done, 100) for done in range(1, 101))
    often = LogConfig(every=10, shares_every=1)
    assert [done for done in range(1, 35) if measured(often, done, 34)] == [10, 20, 30, 34]


def test_passes_are_counted_where_a_strength_follows_them() -> None:
    repeats = EvidenceStrengthConfig(by="repeats")
    assert needs([RegulariserConfig(name="deviation")]) == frozenset()
    assert needs([RegulariserConfig(name="deviation", by_evidence=repeats)]) == {"passes"}
