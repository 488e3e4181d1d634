"""Literal scores of each policy."""

from __future__ import annotations

import numpy as np
import pytest

from corpus.errors import ConfigurationError
from sampler.feedback.config import FeedbackConfig
from sampler.feedback.policies import Evidence, Verdict, load, register

NAN = float("nan")


def evidence(loss: list[float], memory: list[float], baseline: list[float], shares: list[float]) -> Evidence:
    return Evidence(*(np.array(values) for values in (loss, memory, baseline, shares)))


def assert_verdict(found: Verdict, score: list[float], memory: list[float]) -> None:
    assert found.score == pytest.approx(score, nan_ok=True)
    assert found.memory == pytest.approx(memory, nan_ok=True)


def test_excess_is_the_running_loss_above_the_baseline() -> None:
    config = FeedbackConfig(policy="excess", baseline="heldout", rate=2.0, decay=0.75)
    # Running: 0.75 * 4 + 0.25 * 2 = 3.5; the second has no past; the third was not seen; the fourth has no baseline.
    seen = evidence([2.0, 2.0, NAN, 3.0], [4.0, NAN, 5.0, 3.0], [3.0, 2.5, 1.0, NAN], [0.25] * 4)
    assert_verdict(load("excess")(seen, config), [1.0, -1.0, NAN, NAN], [3.5, 2.0, 5.0, 3.0])


def test_progress_is_the_relative_fall_below_the_running_loss() -> None:
    config = FeedbackConfig(policy="progress", rate=10.0, decay=0.5)
    seen = evidence([3.0, 5.0, 2.0, NAN], [4.0, 4.0, NAN, 1.0], [NAN] * 4, [0.25] * 4)
    assert_verdict(load("progress")(seen, config), [2.5, -2.5, NAN, NAN], [3.5, 4.5, 2.0, 1.0])


def test_exponentiated_gradient_adds_up_losses_above_their_mean() -> None:
    config = FeedbackConfig(policy="exponentiated_gradient", rate=0.5)
    # The mean over the seen languages, by share: (0.2 * 4 + 0.6 * 2) / 0.8 = 2.5.
    first = evidence([4.0, 2.0, NAN], [NAN, NAN, NAN], [NAN] * 3, [0.2, 0.6, 0.2])
    assert_verdict(load("exponentiated_gradient")(first, config), [0.75, -0.25, NAN], [0.75, -0.25, NAN])
    second = evidence([4.0, 2.0, NAN], [0.75, -0.25, NAN], [NAN] * 3, [0.2, 0.6, 0.2])
    assert_verdict(load("exponentiated_gradient")(second, config), [1.5, -0.5, NAN], [1.5, -0.5, NAN])


def test_exponentiated_gradient_takes_losses_above_a_baseline_that_is_given() -> None:
    config = FeedbackConfig(policy="exponentiated_gradient", baseline="heldout")
    seen = evidence([4.0, 2.0, 9.0], [NAN] * 3, [3.0, 3.0, NAN], [0.5, 0.25, 0.25])
    # Gradients 1 and -1, their mean (0.5 - 0.25) / 0.75 = 1/3.
    assert_verdict(load("exponentiated_gradient")(seen, config), [2 / 3, -4 / 3, NAN], [2 / 3, -4 / 3, NAN])


def test_exponentiated_gradient_keeps_scores_within_what_is_remembered() -> None:
    config = FeedbackConfig(policy="exponentiated_gradient", rate=100.0)
    seen = evidence([9.0, 1.0], [NAN, NAN], [NAN, NAN], [0.5, 0.5])
    assert_verdict(load("exponentiated_gradient")(seen, config), [7.5, -7.5], [7.5, -7.5])


def test_nothing_seen_moves_nothing() -> None:
    unseen = evidence([NAN, NAN], [1.0, NAN], [1.0, 1.0], [0.5, 0.5])
    for name in ("none", "progress", "exponentiated_gradient"):
        assert_verdict(load(name)(unseen, FeedbackConfig(policy=name)), [NAN, NAN], [1.0, NAN])


def test_none_keeps_every_share() -> None:
    seen = evidence([1.0, 2.0], [1.0, NAN], [NAN, NAN], [0.5, 0.5])
    assert_verdict(load("none")(seen, FeedbackConfig()), [NAN, NAN], [1.0, NAN])


def test_a_policy_can_be_registered() -> None:
    @register("test-first-only")
    def first_only(evidence: Evidence, config: FeedbackConfig) -> Verdict:
        return Verdict(np.array([config.rate, NAN]), evidence.memory)

    config = FeedbackConfig(policy="test-first-only", rate=3.0)
    seen = evidence([1.0, 1.0], [NAN, NAN], [NAN, NAN], [0.5, 0.5])
    assert_verdict(load("test-first-only")(seen, config), [3.0, NAN], [NAN, NAN])


def test_an_unknown_policy_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"there is no policy 'exces'. Choose one of excess, exponentiated"):
        load("exces")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"policy": "exces"}, "there is no policy 'exces'"),
        ({"policy": "excess"}, "excess needs a baseline"),
        ({"every": 4, "delay": 4}, "delay 4 must be below every 4"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FeedbackConfig.model_validate(settings)
