"""When decisions are made, from what, and what they say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from corpus.errors import ConfigurationError, CorpusError
from sampler import CurriculumStream, SamplerConfig
from sampler.feedback.decisions import ByHand, Feedback, check_step, named_shares

EXCESS: dict[str, Any] = {
    "policy": "excess",
    "baseline": {"aaa_Latn": 2.0, "bbb_Cyrl": 2.0},
    "every": 4,
    "delay": 1,
    "min_tokens": 16,
    "smoothing": 0.0,
}
EVEN = {"aaa_Latn": 0.4, "bbb_Cyrl": 0.4, "ccc_Arab": 0.2}


@pytest.fixture(scope="module")
def root(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    lengths = {"aaa_Latn": [7, 11, 13] * 40, "bbb_Cyrl": [5, 9] * 40, "ccc_Arab": [3, 4, 30]}
    return str(made_up.corpus(tmp_path_factory.mktemp("corpus"), lengths))


def feedback(root: str, settings: dict[str, Any] = EXCESS, **sampler: Any) -> Feedback:
    config = SamplerConfig.model_validate(
        {"row_tokens": 16, "block_rows": 8, "mixture": EVEN, "feedback": settings, **sampler}
    )
    return Feedback(CurriculumStream(root, tokenizer="spm", config=config, seed=5))


def shares(weights: Any) -> list[float]:
    return [float(weight) / 2**32 for weight in weights]


def test_a_decision_uses_the_rows_before_its_border_alone(root: str) -> None:
    made = feedback(root)
    assert (made.block, made.border) == (4, 24)
    assert [made.due(row) for row in (23, 24)] == [False, True]
    # By step: 5 more rows would go over the border.
    assert [made.due(row, 5) for row in (19, 20)] == [False, True]
    # Row 24 lies behind the border: its loss of 100 nats is for the next decision.
    made.observe([0, 1, 24], [0, 1, 1], [16 * (2 + np.log(3)), 16 * 2.0, 100.0], [16, 16, 10])
    decision = made.decide()
    assert decision.block == 4
    assert decision.losses == pytest.approx({"aaa_Latn": 2 + np.log(3), "bbb_Cyrl": 2.0}, abs=1e-4)
    # 0.8 * 3/4 and 0.8 * 1/4, and what has no baseline keeps 0.2; on the grid within 0.8 %.
    assert decision.weights is not None
    assert shares(decision.weights) == pytest.approx([0.6, 0.2, 0.2], rel=0.008)
    assert made.stream.mixture(3) == pytest.approx(EVEN)
    assert list(made.stream.mixture(4).values()) == shares(decision.weights)
    assert decision.reason.startswith("feedback excess (bbb_Cyrl 0.4 to 0.2, aaa_Latn 0.4 to 0.6")
    assert (made.block, made.border) == (8, 56)
    made.observe([25], [1], [8.0], [8])
    assert made.losses.means(1) == pytest.approx([np.nan, 6.0, np.nan], nan_ok=True)


def test_rows_that_a_decision_has_used_do_not_count_again(root: str) -> None:
    made = feedback(root)
    made.observe([0, 1], [0, 1], [48.0, 32.0], [16, 16])
    made.decide()
    made.observe([0, 23, 24], [0, 0, 0], [999.0, 999.0, 32.0], [16, 16, 16])
    assert made.losses.means(1) == pytest.approx([2.0, np.nan, np.nan], nan_ok=True)


def test_few_tokens_change_nothing_and_are_kept(root: str) -> None:
    made = feedback(root)
    made.observe([0, 1], [0, 1], [80.0, 15.0], [15, 15])
    decision = made.decide()
    assert (decision.weights, decision.losses, decision.shares) == (None, {}, {})
    assert decision.reason == "feedback excess"
    made.observe([30], [0], [4.0], [1])
    assert made.decide().losses == {"aaa_Latn": 84 / 16}


def test_losses_that_are_not_finite_are_reported(root: str) -> None:
    made = feedback(root)
    made.observe([0, 1, 2], [0, 0, 1], [float("nan"), 48.0, float("inf")], [16, 16, 16])
    decision = made.decide()
    assert decision.ignored == {"aaa_Latn": 1, "bbb_Cyrl": 1}
    assert decision.losses == {"aaa_Latn": 3.0}
    assert made.decide().ignored == {}


def test_heldout_losses_are_the_baseline(root: str) -> None:
    made = feedback(root, {**EXCESS, "baseline": "heldout"})
    made.observe([0, 1], [0, 1], [16 * 3.0, 16 * 3.0], [16, 16])
    assert made.decide().weights is None
    made.set_heldout({"aaa_Latn": 3.0, "bbb_Cyrl": 3.0 + np.log(3)})
    made.observe([30, 31], [0, 1], [16 * 3.0, 16 * 3.0], [16, 16])
    # bbb is learnt by heart: its loss lies below the held-out one.
    weights = made.decide().weights
    assert weights is not None
    assert shares(weights) == pytest.approx([0.6, 0.2, 0.2], rel=0.008)


@pytest.mark.parametrize("limit", [{"max_repeats": 1.2}, {"mixture": "unimax", "epochs": 1.2}])
def test_no_language_is_repeated_more_often_than_allowed(root: str, limit: dict[str, Any]) -> None:
    settings = {**EXCESS, "cap": 100.0, "rate": 10.0, "floor": 0.0}
    made = feedback(root, settings, budget_tokens=16 * 8 * 12, **limit)
    high = {"aaa_Latn": 0.0, "bbb_Cyrl": 9.0, "ccc_Arab": 0.0}
    for number in (1, 2):
        row = made.border - 8
        made.observe([row, row + 1], [0, 1], [0.0, high["bbb_Cyrl"] * 16], [16, 16])
        assert made.decide().block == 4 * number
    stream = made.stream
    stream.decided = None
    stream.seek(8 * 12)
    stream.rows(range(8 * 12))
    realised = stream.realised()
    assert realised["bbb_Cyrl"].passes > 1.1
    assert all(found.passes < 1.2 + 16 / stream.sizes[lang] for lang, found in realised.items())


def test_a_change_by_hand_takes_the_recipes_place(root: str) -> None:
    made = feedback(root)
    decision = made.decide(ByHand({"ccc_Arab": 0.5}, "more of it"))
    assert decision.weights is not None
    assert shares(decision.weights) == pytest.approx([0.25, 0.25, 0.5], rel=0.008)
    assert decision.reason.startswith("by hand: more of it (ccc_Arab 0.2 to 0.5")
    made.observe([30, 31], [0, 1], [16 * (2 + np.log(3)), 16 * 2.0], [16, 16])
    weights = made.decide().weights
    assert weights is not None
    assert shares(weights) == pytest.approx([0.375, 0.125, 0.5], rel=0.008)


def test_a_change_by_hand_keeps_floors_and_passes(root: str) -> None:
    made = feedback(root, {"every": 4, "delay": 1}, floor=0.1, max_repeats=2.0, budget_tokens=16 * 8 * 12)
    weights = made.decide(ByHand({"aaa_Latn": 1.0}, "alone")).weights
    assert weights is not None
    left = 2 * made.stream.sizes["ccc_Arab"] - 16 * int(made.stream.served(4)[2])
    assert shares(weights)[1] == pytest.approx(0.1, rel=0.01)
    assert shares(weights)[2] == pytest.approx(left / (16 * 8 * 8), rel=0.01)
    assert shares(weights)[0] > 0.8


def test_an_impossible_change_by_hand_decides_nothing(root: str) -> None:
    made = feedback(root)
    with pytest.raises(ConfigurationError, match="which is more than 1"):
        made.decide(ByHand({"aaa_Latn": 0.8, "bbb_Cyrl": 0.4}, ""))
    assert made.next == 1
    assert made.stream.decided == 4


def test_a_state_goes_on_alike(root: str) -> None:
    one = feedback(root, {**EXCESS, "baseline": "heldout"})
    one.set_heldout({"aaa_Latn": 2.5, "bbb_Cyrl": 2.0})
    one.observe([0, 1], [0, 1], [48.0, 36.0], [16, 16])
    one.decide(ByHand({"ccc_Arab": 0.3}, "so"))
    one.observe([26, 27, 58], [0, 1, 0], [42.0, 48.0, 77.0], [16, 16, 16])
    stream_state, state = json.loads(json.dumps([one.stream.state(24), one.state()]))
    other = feedback(root, {**EXCESS, "baseline": "heldout"})
    other.stream.load_state(stream_state)
    other.load_state(state)
    for _ in range(3):
        assert repr(one.decide()) == repr(other.decide())
    assert one.state() == other.state()
    assert one.stream.state(24) == other.stream.state(24)


STAGED = {
    "budget_tokens": 16 * 8 * 24,
    "stages": [
        {"name": "broad", "tokens": 16 * 8 * 8, "languages": ["aaa_Latn", "bbb_Cyrl"], "mixture": "uniform"},
        {"name": "all", "mixture": "uniform", "transition": 16 * 8 * 8, "transition_steps": 2},
    ],
}


def test_the_policy_follows_the_stages(root: str) -> None:
    made = feedback(root, **STAGED)
    losses = ([0, 1], [16 * (2 + np.log(3)), 16 * 2.0], [16, 16])
    for block, entering in ((4, 0.0), (8, 1 / 12), (12, 1 / 4)):
        made.observe([made.border - 2, made.border - 1], *losses)
        assert made.decide().block == block
        # Nothing is known of the language that enters: it has the share that the recipe gives it.
        assert list(made.stream.mixture(block).values()) == pytest.approx(
            [0.75 * (1 - entering), 0.25 * (1 - entering), entering], abs=0.006
        )
    # Nothing more is seen: the shares go on as the recipe moves them.
    made.decide()
    assert made.stream.mixture(16) == pytest.approx(dict.fromkeys(EVEN, 1 / 3), abs=1e-6)


def test_by_hand_only_languages_of_the_stage(root: str) -> None:
    made = feedback(root, {"every": 4, "delay": 1}, **STAGED)
    with pytest.raises(ConfigurationError, match="ccc_Arab is not sampled in the present stage"):
        made.decide(ByHand({"ccc_Arab": 0.5}, ""))
    made.decide(ByHand({"aaa_Latn": 0.8}, ""))
    assert made.stream.mixture(7) == pytest.approx({"aaa_Latn": 0.8, "bbb_Cyrl": 0.2, "ccc_Arab": 0.0}, rel=0.008)
    # The next stage begins with its own turn.
    assert made.stream.mixture(23) == pytest.approx(dict.fromkeys(EVEN, 1 / 3), abs=1e-6)


def test_a_damaged_state(root: str) -> None:
    made = feedback(root)
    with pytest.raises(CorpusError, match="state of the feedback is damaged: the policy's memory is of 4 languages"):
        made.load_state({**made.state(), "memory": "AAAAAAAAAAA="})


def test_a_stream_whose_block_is_not_decided_says_so(root: str) -> None:
    made = feedback(root)
    made.stream.rows(range(32))
    with pytest.raises(ConfigurationError, match=r"block 4 is not decided.* rows before row 24 were not all reported"):
        made.stream.rows([32])


def test_a_step_must_not_wait_for_itself() -> None:
    config = SamplerConfig(block_rows=8, feedback={"policy": "progress", "delay": 1})  # type: ignore[arg-type]
    check_step(config, 9)
    with pytest.raises(ConfigurationError, match=r"less than the 10 rows of a step. Set sampler.feedback.delay to 2"):
        check_step(config, 10)
    check_step(SamplerConfig(), 1 << 20)


def test_named_shares_leave_the_others_their_proportions() -> None:
    present, languages = np.array([0.6, 0.3, 0.1]), ("a", "b", "c")
    assert named_shares({"c": 0.4}, present, languages) == pytest.approx([0.4, 0.2, 0.4])
    assert named_shares({"a": 0, "b": 0.5}, present, languages) == pytest.approx([0, 0.5, 0.5])
    assert named_shares({"a": 0.5, "b": 0.5}, present, languages) == pytest.approx([0.5, 0.5, 0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "no language is named"),
        ({"d": 0.1}, "d has no training tokens in this run. Use the tags of the run, for example a, b"),
        ({"a": -0.1}, "the share -0.1 of a is none"),
        ({"a": True}, "the share True of a is none"),
        ({"a": "0.5"}, "the share '0.5' of a is none"),
        ({"a": float("nan")}, "the share nan of a is none"),
        ({"a": 0.7, "b": 0.7}, "come to 1.4, which is more than 1"),
        ({"a": 0.2, "b": 0.2, "c": 0.1}, "come to 0.5, and no other language has a share"),
    ],
)
def test_shares_that_cannot_be(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        named_shares(given, np.array([0.6, 0.3, 0.1]), ("a", "b", "c"))


@pytest.mark.slow
def test_a_thousand_languages_that_change_all_the_time_stay_below_sixteen_kilobytes(
    made_up: Any, tmp_path: Any
) -> None:
    tags = [f"{a}{b}{c}_Latn" for a in "abcdefghij" for b in "abcdefghij" for c in "abcdefghij"]
    root = str(made_up.corpus(tmp_path, {tag: [50] * (20 + 4000 // (i + 1)) for i, tag in enumerate(tags)}))
    settings = {"policy": "exponentiated_gradient", "every": 4, "delay": 1, "min_tokens": 256, "rate": 0.3}
    made = feedback(root, settings, row_tokens=128, block_rows=256, mixture="temperature")
    random = np.random.default_rng(0)
    for _ in range(8):
        languages = random.integers(0, 1000, 1024)
        losses = 128 * random.normal(5, 1, 1024).clip(1)
        made.observe(np.arange(made.border - 1024, made.border), languages, losses, np.full(1024, 128))
        assert made.decide().weights is not None
        state = made.state()
        assert len(state["memory"]) < 3000
        assert len(json.dumps(made.stream.state(made.border))) + len(state["memory"]) < 16_000
        assert len(json.dumps(state["losses"])) < 9_500
