from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from corpus.config import Config
from corpus.errors import ConfigurationError
from trainer import regularisers
from trainer.config import (
    DropoutConfig,
    LanguageLossConfig,
    LogConfig,
    ModelConfig,
    ObjectiveConfig,
    RegulariserConfig,
    StrengthScheduleConfig,
    TrainConfig,
)
from trainer.distributed import World
from trainer.model.transformer import Transformer
from trainer.optimiser.build import load_optimiser_tensors, make_optimiser, optimiser_tensors
from trainer.regularisers.base import Moment, Penalty
from trainer.steps.step import Stepper
from trainer.steps.tally import Tally

ALONE = World(0, 1, torch.device("cpu"))


class FakeRows(NamedTuple):
    tokens: np.ndarray
    segments: np.ndarray
    positions: np.ndarray
    languages: np.ndarray


class FakeStream:
    """Rows of 16 tokens made from their index alone."""

    languages = ("a", "b", "c")

    def rows(self, indices: Sequence[int]) -> FakeRows:
        tokens = np.array([[5 + (index * 7 + column * 3) % 20 for column in range(16)] for index in indices])
        segments = np.array([[0] * 6 + [1] * (4 + index % 6) + [-1] * (6 - index % 6) for index in indices], np.int32)
        positions = np.tile(np.arange(16, dtype=np.int32), (len(tokens), 1))
        return FakeRows(tokens, segments, positions, np.array([index % 3 for index in indices], np.int32))


def stepper(
    rows: int = 8,
    passes: int = 8,
    kind: str = "causal",
    penalties: tuple[RegulariserConfig, ...] = (RegulariserConfig(name="deviation"),),
    language_loss: LanguageLossConfig | None = None,
    layers: int = 1,
    log: LogConfig | None = None,
    dropout: DropoutConfig | None = None,
) -> Stepper:
    config = TrainConfig(
        rows=rows,
        model=ModelConfig(width=16, layers=layers, heads=2),
        objective=ObjectiveConfig.model_validate({"kind": kind}),
        regularisers=penalties,
        language_loss=language_loss,
        log=log or LogConfig(),
        dropout=dropout or DropoutConfig(),
    )
    torch.manual_seed(0)
    model = Transformer(config.model, vocabulary=25, languages=3)
    return Stepper(
        config,
        model,
        make_optimiser(model, config.optimiser, 1e-3),
        FakeStream(),
        Tally(3, ALONE.device),
        ALONE,
        train_tokens=[100, 1000, 10_000],
        total=10,
        mask_id=4,
        pass_rows=passes,
        seed=0,
    )


@pytest.mark.parametrize("kind", ["causal", "masked", "mixed"])
def test_passes_of_fewer_rows_give_the_same_step(kind: str) -> None:
    whole, parts = stepper(kind=kind), stepper(kind=kind, passes=3)
    for number in range(3):
        first, second = whole(number), parts(number)
        assert first.grad_norm == pytest.approx(second.grad_norm, rel=1e-4)
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(value, parts.model.state_dict()[name], atol=1e-5, rtol=1e-4)
    for tally in (whole.tally, parts.tally):
        tally.collect(ALONE)
    assert whole.tally.window[:, 1].tolist() == parts.tally.window[:, 1].tolist()
    assert whole.tally.seen.tolist() == parts.tally.seen.tolist()


def test_the_same_step_twice_is_the_same_to_the_bit() -> None:
    one, other = stepper(kind="mixed"), stepper(kind="mixed")
    for number in range(3):
        assert one(number).grad_norm == other(number).grad_norm
    for name, value in one.model.state_dict().items():
        assert torch.equal(value, other.model.state_dict()[name])


def test_counts_what_was_predicted_and_read() -> None:
    step = stepper(rows=3)
    step(0)
    step.tally.collect(ALONE)
    # Row i has 6 and 4 + i tokens in its documents; the first of each is not predicted.
    assert step.tally.window[:, 1].tolist() == [8, 9, 10]
    assert step.tally.seen.tolist() == [10, 11, 12]
    assert step.tally.mean_loss() == pytest.approx(np.log(25), rel=0.05)


class Nothing(Config):
    """No options."""


def broken(moment: Moment, options: Nothing, memory: Mapping[str, Tensor]) -> Penalty:
    return Penalty(moment.outputs.hidden.sum() * float("nan"))


def shares(moment: Moment, options: Nothing, memory: Mapping[str, Tensor]) -> Penalty:
    evidence = moment.evidence
    return Penalty(evidence.share.sum(), {"c": evidence.share[2], "tokens": evidence.train_tokens[1]})


def counting(moment: Moment, options: Nothing, memory: Mapping[str, Tensor]) -> Penalty:
    """How often it was called since the run began, and the tokens of the pass."""
    calls = memory.get("calls", torch.zeros(())) + 1
    tokens = torch.tensor(float(len(moment.labels)))
    assert moment.losses.shape == moment.labels.shape == moment.languages.shape
    return Penalty(calls + 0 * moment.outputs.hidden.sum(), {"tokens": tokens}, {"calls": calls})


regularisers.register("test-broken", Nothing, lambda: broken)
regularisers.register("test-shares", Nothing, lambda: shares)
regularisers.register("test-weights", Nothing, lambda: counting)
regularisers.register("test-rows", Nothing, lambda: counting, reads_rows=True)


class OneBlock(Config):
    """Which block is read."""

    block: int = 0


def inner(moment: Moment, options: OneBlock, memory: Mapping[str, Tensor]) -> Penalty:
    """Asks that the kept vectors are those of both forward passes."""
    assert set(moment.outputs.inner) == {0, options.block}
    kept, again = moment.outputs.inner[options.block], moment.again().inner[options.block]
    return Penalty((kept - again).abs().max(), {"places": torch.tensor(kept.shape[:2].numel())})


regularisers.register("test-inner", OneBlock, lambda: inner, reads_rows=True, keeps=lambda o, layers: (o.block,))
regularisers.register(
    "test-first", OneBlock, lambda: counting, reads_rows=True, keeps=lambda options, layers: (options.block,)
)


def test_a_step_without_finite_gradient_changes_nothing() -> None:
    step = stepper(penalties=(RegulariserConfig(name="test-broken"),))
    before = {name: value.clone() for name, value in step.model.state_dict().items()}
    report = step(0)
    assert report.skipped
    step.tally.collect(ALONE)
    assert step.tally.seen.sum() == 0
    assert not step.tally.window.any()
    for name, value in step.model.state_dict().items():
        assert torch.equal(value, before[name])
    assert not any(part.state for part in step.optimiser.parts)


def test_a_regulariser_sees_the_evidence_and_its_strength_is_scheduled() -> None:
    schedule = StrengthScheduleConfig(kind="linear", warmup=0.5, final=0.0)
    step = stepper(rows=3, penalties=(RegulariserConfig(name="test-shares", strength=6, schedule=schedule),))
    reports = [step(number) for number in range(3)]
    assert [report.penalties["test-shares"].strength for report in reports] == pytest.approx([1.0, 2.0, 3.0])
    first = reports[0].penalties["test-shares"]
    assert first.value.item() == pytest.approx(1.0)
    assert first.metrics["c"].item() == pytest.approx(10 / 27)
    assert first.metrics["tokens"].item() == 1000


def test_strength_zero_is_computed_but_not_added() -> None:
    quiet = stepper(penalties=(RegulariserConfig(name="test-broken", strength=0),))
    report = quiet(0)
    assert not report.skipped
    assert torch.isnan(report.penalties["test-broken"].value)


def test_what_looks_at_weights_is_called_once_a_step_what_looks_at_rows_with_each_pass() -> None:
    step = stepper(rows=8, passes=3, penalties=(RegulariserConfig(name="test-weights"),))
    assert [step(number).penalties["test-weights"].value.item() for number in range(2)] == [1, 2]
    step = stepper(rows=8, passes=3, penalties=(RegulariserConfig(name="test-rows"),))
    assert [step(number).penalties["test-rows"].value.item() for number in range(2)] == [
        2,
        5,
    ]  # means of 1 to 3 and of 4 to 6


def test_regularisers_get_the_vectors_of_the_blocks_that_they_ask_for() -> None:
    reads = (RegulariserConfig(name="test-inner", options={"block": 1}), RegulariserConfig(name="test-first"))
    step = stepper(rows=3, penalties=reads, layers=2)
    report = step(0)
    assert report.penalties["test-inner"].value.item() == 0
    assert report.penalties["test-inner"].metrics["places"].item() == 3 * 16
    with pytest.raises(ConfigurationError, match=r"'test-inner' reads block 1, and the model has blocks 0 to 0"):
        stepper(penalties=reads)


def test_memory_goes_on_from_a_checkpoint() -> None:
    penalties = (RegulariserConfig(name="test-weights"),)
    loss = LanguageLossConfig(name="group_dro", options={"rate": 0.5}, smoothing=0.5)
    whole = stepper(penalties=penalties, language_loss=loss)
    reports = [whole(number) for number in range(4)]
    first, second = (stepper(penalties=penalties, language_loss=loss) for _ in range(2))
    for number in range(2):
        first(number)
    second.load_tensors(first.tensors())
    second.model.load_state_dict(first.model.state_dict())
    load_optimiser_tensors(second.model, second.optimiser, optimiser_tensors(first.model, first.optimiser))
    for number in (2, 3):
        report = second(number)
        assert report.penalties["test-weights"].value.item() == number + 1
        assert report.factors is not None
        assert report.factors.tolist() == reports[number].factors.tolist()  # type: ignore[union-attr]
    assert set(second.tensors()) == {
        "language_loss/sums",
        "language_loss/factors",
        "language_loss/memory:log_ratio",
        "regulariser/test-weights/calls",
    }


def test_a_skipped_step_is_not_remembered() -> None:
    loss = LanguageLossConfig(name="focal")
    step = stepper(penalties=(RegulariserConfig(name="test-broken"),), language_loss=loss)
    step(0)
    assert not step.tensors()["language_loss/sums"].any()


def test_factors_weigh_the_tokens_of_a_language_in_the_gradient() -> None:
    """Under a factor of 0 for all but one language, the gradient is that of this language's rows alone."""
    plain, weighed = stepper(rows=3, penalties=()), stepper(rows=3, penalties=(), language_loss=cvar())
    for step in (plain, weighed):
        step(0)
    assert weighed.factors is not None
    weighed.factors.load_state({"sums": torch.zeros(3, 2, dtype=torch.float64), "factors": torch.tensor([0.0, 3.0, 0])})
    weighed.optimiser.zero_grad()
    before = weighed.model.embedding.weight.detach().clone()
    report = weighed(1)
    assert report.factors is not None
    assert report.factors.tolist() == [0.0, 3.0, 0.0]
    assert not torch.equal(before, weighed.model.embedding.weight)
    # Rows 3, 4, 5 are of languages 0, 1, 2; adapters of the languages that do not count got no gradient.
    grad = weighed.model.adapters()[0].up.grad
    assert grad is not None
    assert [bool(grad[language].any()) for language in range(3)] == [False, True, False]


def cvar() -> LanguageLossConfig:
    return LanguageLossConfig(name="cvar", floor=0.0, baseline="none")


def test_every_process_needs_a_row() -> None:
    step = stepper(rows=1)
    with pytest.raises(ConfigurationError, match=r"train\.rows is 1, but 2 processes"):
        Stepper(
            step.config,
            step.model,
            step.optimiser,
            FakeStream(),
            step.tally,
            World(0, 2, ALONE.device),
            train_tokens=[1, 1, 1],
            total=1,
            mask_id=4,
            pass_rows=1,
            seed=0,
        )
