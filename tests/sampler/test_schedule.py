"""Stages to shares."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import ConfigurationError
from sampler.config import SamplerConfig
from sampler.quota import UNIT
from sampler.schedule import Schedule

LANGUAGES = ["a", "b", "c"]
SIZES: dict[str, float] = {"a": 6000, "b": 3000, "c": 1000}


def schedule(stages: list[dict[str, Any]], sizes: list[dict[str, float]] | None = None, **section: Any) -> Schedule:
    """Blocks of 4 rows of 25 tokens: 100 tokens each."""
    config = SamplerConfig.model_validate({"row_tokens": 25, "block_rows": 4, "stages": stages, **section})
    return Schedule(config, LANGUAGES, sizes or [SIZES] * max(1, len(stages)))


def told(plan: Schedule) -> list[tuple[int, int | None, list[float]]]:
    return [(span.block, span.end, [round(int(weight) / UNIT, 4) for weight in span.weights]) for span in plan.spans()]


def test_without_stages_one_mixture_never_ends() -> None:
    assert told(schedule([], mixture="proportional")) == [(0, None, [0.6, 0.3, 0.1])]


def test_stages_are_rounded_up_to_blocks_and_the_last_goes_on() -> None:
    plan = schedule(
        [
            {"name": "broad", "tokens": 950, "mixture": "uniform"},
            {"name": "focused", "tokens": 100, "mixture": {"a": 3, "b": 1}},
        ]
    )
    assert [(part.name, part.first, part.end) for part in plan.parts] == [("broad", 0, 10), ("focused", 10, None)]
    assert told(plan) == [(0, 10, [0.3333, 0.3333, 0.3333]), (10, None, [0.75, 0.25, 0.0])]
    assert [plan.stage(block) for block in (0, 9, 10, 999)] == [0, 0, 1, 1]


def test_a_language_is_sampled_in_its_stages_alone() -> None:
    plan = schedule(
        [{"name": "one", "tokens": 300}, {"name": "two", "tokens": 300}, {"name": "three"}],
        [{"a": 6000}, {"a": 6000, "c": 1000}, {"b": 3000}],
        mixture="proportional",
    )
    assert told(plan) == [(0, 3, [1.0, 0.0, 0.0]), (3, 6, [0.8571, 0.0, 0.1429]), (6, None, [0.0, 1.0, 0.0])]


def test_a_transition_is_steps_of_constant_shares() -> None:
    plan = schedule(
        [
            {"name": "one", "tokens": 400, "mixture": {"a": 1}},
            {"name": "two", "mixture": {"b": 1}, "transition": 380, "transition_steps": 2},
        ]
    )
    assert told(plan) == [
        (0, 4, [1.0, 0.0, 0.0]),
        (4, 6, [0.75, 0.25, 0.0]),
        (6, 8, [0.25, 0.75, 0.0]),
        (8, None, [0.0, 1.0, 0.0]),
    ]


def test_a_language_that_the_new_snapshot_lacks_does_not_fade_out() -> None:
    stages = [
        {"name": "one", "tokens": 400, "mixture": {"a": 2, "b": 1, "c": 1}},
        {"name": "two", "mixture": {"b": 1}, "transition": 200, "transition_steps": 1},
    ]
    config = SamplerConfig.model_validate({"row_tokens": 25, "block_rows": 4, "stages": stages})
    sizes: list[dict[str, float]] = [SIZES, {"b": 3000, "c": 1000}]
    plan = Schedule(config, LANGUAGES, sizes, [frozenset(), frozenset({"a"})])
    # Of the old shares 1/2, 1/4, 1/4 the first cannot go on: b and c have half each, and b turns to 1.
    assert told(plan)[1:] == [(4, 6, [0.0, 0.75, 0.25]), (6, None, [0.0, 1.0, 0.0])]


def test_the_caps_count_what_earlier_stages_gave() -> None:
    # 1,500 tokens of each in the first stage: a passes c's cap of 2 x 1,000 after 500 more.
    stages = [
        {"name": "one", "tokens": 4500, "mixture": "uniform"},
        {"name": "two", "tokens": 4000, "mixture": "unimax", "epochs": 2},
    ]
    assert told(schedule(stages))[1] == (45, None, [0.4375, 0.4375, 0.125])
    stages[1] = {"name": "two", "tokens": 4000, "mixture": "uniform", "max_repeats": 2}
    assert told(schedule(stages))[1] == (45, None, [0.4375, 0.4375, 0.125])


def test_an_open_last_stage_has_what_is_left_of_the_budget() -> None:
    stages = [{"name": "one", "tokens": 2000, "mixture": {"c": 1}}, {"name": "two"}]
    plan = schedule(stages, budget_tokens=5000, epochs=2)
    # c has had its two passes; a and b share the 3,000 left.
    assert told(plan)[1] == (20, None, [0.5, 0.5, 0.0])
    assert [part.tokens for part in plan.parts] == [2000, 3000]


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([{"name": "one", "mixture": {"z": 1}}], "sampler.stages.one.mixture names z"),
        (
            [{"name": "one", "tokens": 9000}, {"name": "two", "tokens": 4000, "max_repeats": 1}],
            r"sampler.stages.two.max_repeats 1 allows 10,000 tokens of its 3 languages, 9,000 of them sampled before; "
            r"4,000 are to be sampled. Raise it to 1.3 or more",
        ),
        ([{"name": "one", "floor": 0.5}], "sampler.stages.one.floor 0.5 for 3 languages asks for 150%"),
    ],
)
def test_impossible_stages_are_named(stages: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        schedule(stages).confirm()


def test_a_change_holds_until_the_next_stage_and_the_caps_hold_for_it() -> None:
    plan = schedule(
        [
            {"name": "one", "tokens": 2000, "mixture": "uniform", "max_repeats": 1},
            {"name": "two", "mixture": "unimax", "epochs": 1},
        ]
    )
    # Of c 1,000 tokens may come; 300 have, and 1,100 tokens of the stage are left.
    given_tokens = np.array([300.0, 300.0, 300.0])
    chosen = plan.bounded(9, {"c": 5.0, "a": 5.0}, given_tokens)
    assert chosen == pytest.approx({"a": 0.5, "b": 0, "c": 0.5})
    chosen = plan.bounded(9, {"c": 9.0, "a": 1.0}, given_tokens)
    assert chosen == pytest.approx({"a": 4 / 11, "b": 0, "c": 7 / 11})
    weights = np.array([UNIT // 2, 0, UNIT // 2])
    spans = list(plan.after(9, weights, given_tokens / 25))
    assert [(span.block, span.end) for span in spans] == [(9, 20), (20, None)]
    # c had 300 + 550 of its 1,000 tokens before the second stage.
    assert spans[1].weights[2] / UNIT == pytest.approx(150 / plan.parts[1].tokens, rel=1e-6)
    with pytest.raises(ConfigurationError, match="names z, which has no training tokens here"):
        plan.bounded(9, {"z": 1.0}, given_tokens)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_schedule_covers_every_block_once(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 4))
    mixture = st.sampled_from(["unimax", "temperature", "proportional", "uniform"])
    stages = []
    for number in range(count):
        tokens = data.draw(st.integers(1, 2000))
        stages.append(
            {
                "name": f"s{number}",
                "tokens": tokens if number + 1 < count or data.draw(st.booleans()) else None,
                "mixture": data.draw(mixture),
                "transition": data.draw(st.integers(0, tokens)) if number and number + 1 < count else 0,
                "transition_steps": data.draw(st.integers(1, 9)),
            }
        )
    spans = list(schedule(stages).spans())
    assert spans[0].block == 0
    assert spans[-1].end is None
    assert all(before.end == after.block > before.block for before, after in pairwise(spans))
    assert all(int(span.weights.sum()) == UNIT and span.weights.min() >= 0 for span in spans)
