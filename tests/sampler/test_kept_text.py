"""What a stage has of a language is what its view keeps: passes, caps, UniMax and resumes count that."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampler import CurriculumStream, SamplerConfig
from sampler.feedback.decisions import ByHand, Feedback

A, B = "aaa_Latn", "bbb_Cyrl"
HALF = {"difficulty": [0, 0.5]}
BLOCK = 8 * 16
"""Tokens of a block."""


@pytest.fixture(scope="module")
def root(made_up: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    # In rows 40 documents of 8 tokens, 320 tokens, and 400 documents, 3,200 tokens.
    return str(made_up.corpus(tmp_path_factory.mktemp("corpus"), {A: [7] * 40, B: [7] * 400}, attributes=True))


def open_stream(root: str, **section: Any) -> CurriculumStream:
    config = SamplerConfig.model_validate({"row_tokens": 16, "block_rows": 8, **section})
    return CurriculumStream(root, tokenizer="spm", config=config, seed=3)


def passes(stream: CurriculumStream, row: int) -> dict[str, float]:
    stream.seek(row)
    return {lang: found.passes for lang, found in stream.realised().items()}


def test_a_filter_that_halves_the_text_doubles_the_passes(root: str) -> None:
    whole = open_stream(root, mixture="uniform")
    half = open_stream(root, mixture="uniform", documents=HALF)
    assert whole.sizes == {A: 320, B: 3200}
    assert half.sizes == {A: 160, B: 1600}
    # Of 80 rows of 16 tokens each language gets half: 640 tokens.
    assert passes(whole, 80) == {A: 2.0, B: 0.2}
    assert passes(half, 80) == {A: 4.0, B: 0.4}


def test_a_document_that_comes_several_times_counts_once(root: str) -> None:
    stream = open_stream(root, mixture="uniform", documents={"rehydrate": {1: 3}})
    assert stream.sizes == {A: 320, B: 3200}
    # The first third of a pass over a language, which shows each document three times, is one pass over its text.
    assert passes(stream, 40) == {A: 1.0, B: 0.1}


@pytest.mark.parametrize("documents", [{}, HALF])
def test_no_document_comes_more_often_than_the_cap_says(root: str, documents: dict[str, Any]) -> None:
    stream = open_stream(root, mixture="uniform", max_repeats=2, budget_tokens=100 * 16, documents=documents)
    # Uniform would give 800 tokens to each; the cap leaves 2 x 320 or 2 x 160 to the smaller one.
    tokens = 320 if documents else 640
    assert stream.mixture()[A] == pytest.approx(tokens / 1600, abs=1e-6)
    batch = stream.rows(range(100))
    of_a = batch.tokens[batch.languages == 0]
    assert abs(of_a.size - tokens) <= 16
    # Document i of a language begins with the token 10 + 31 i.
    begins = np.bincount(of_a[np.isin(of_a, 10 + 31 * np.arange(40))], minlength=1300)[10::31]
    assert begins.max() <= 2


@pytest.mark.parametrize("section", [{"mixture": "unimax", "epochs": 2}, {"mixture": "uniform", "max_repeats": 2}])
def test_passes_of_a_stage_with_another_view_count_as_passes(root: str, section: dict[str, Any]) -> None:
    first = {"name": "whole", "tokens": 5 * BLOCK, "mixture": {A: 1, B: 1}}
    last = {"name": "easy", "tokens": 10 * BLOCK, "documents": HALF, **section}
    stream = open_stream(root, stages=[first, last])
    # The first stage is one pass over a, so one more may come, which under the filter is 160 tokens.
    assert stream.mixture(5)[A] == pytest.approx(160 / (10 * BLOCK), abs=1e-6)
    # So it is after a change by hand that asks for the same.
    stream.set_mixture({A: 0.5, B: 0.5}, "by hand", block=2)
    assert stream.mixture(5)[A] == pytest.approx(160 / (10 * BLOCK), abs=1e-6)
    # And the way back: 1.5 passes over the easier half leave half a pass over all of it.
    first = {"name": "easy", "tokens": 480, "mixture": {A: 1, B: 1}, "documents": HALF}
    stream = open_stream(root, block_rows=30, stages=[first, {"name": "all", "tokens": 4800, **section}])
    assert stream.mixture(1)[A] == pytest.approx((320 - 1.5 * 320) / 4800 + 320 / 4800, abs=1e-6)


def test_a_view_of_a_stage_asks_nothing_of_languages_that_are_not_read_in_it(made_up: Any, tmp_path: Any) -> None:
    root = made_up.corpus(tmp_path, {A: [7] * 10, B: [7] * 10}, attributes=True)
    later = {"name": "b", "languages": [B], "documents": {"difficulty": [0.6, 1]}}
    for transition, text in ((0, 80), (BLOCK, 32)):
        stages = [{"name": "all", "tokens": BLOCK}, {**later, "transition": transition}]
        source = open_stream(root, stages=stages)._sources.stages[1]
        # A language that fades out under the view is read under it, and counted.
        assert source.text == {A: text, B: 32}
        assert source.sizes == {B: 32}
        assert source.kept == ({B: 0.4} if text == 80 else {A: 0.4, B: 0.4})


def test_what_the_cap_on_synthetic_text_leaves_out_is_told_by_stage(root: str) -> None:
    later = {"name": "natural", "languages": [A], "documents": {"max_synthetic_share": 0}}
    stream = open_stream(root, stages=[{"name": "all", "tokens": BLOCK}, later])
    # Every other one of the 40 documents of 8 tokens is synthetic.
    assert [stage.left_out for stage in stream.stages()] == [{}, {A: 160}]
    assert stream.sizes[A] == 160


def test_a_change_that_was_asked_for_keeps_to_the_passes_over_the_kept_text(root: str) -> None:
    stages = [{"name": "whole", "tokens": 4 * BLOCK}, {"name": "easy", "tokens": 14 * BLOCK, "documents": HALF}]
    section = {"mixture": {A: 1, B: 1}, "max_repeats": 1.5, "feedback": {"every": 4, "delay": 1}}
    stream = open_stream(root, stages=stages, **section)
    # 256 tokens are 0.8 passes over a and 0.08 over b: 128 tokens of what is kept of each.
    assert stream.sampled(4).tolist() == [128, 128]
    decision = Feedback(stream).decide(ByHand({A: 0.2}, "more of a"))
    assert decision.block == 4
    # 0.7 passes over 160 tokens are left in 14 blocks of 128.
    assert stream.mixture(4)[A] == pytest.approx(112 / (14 * BLOCK), rel=0.01)


STAGES = [
    {"name": "whole", "tokens": 4 * BLOCK, "mixture": "uniform"},
    {"name": "easy", "tokens": 6 * BLOCK, "documents": HALF, "transition": 2 * BLOCK, "transition_steps": 2},
    {"name": "hard", "tokens": 6 * BLOCK, "documents": {"difficulty": [0.3, 1], "order": "hard_first"}},
    {"name": "all", "mixture": "unimax", "epochs": 4},
]
SECTION = {"stages": STAGES, "mixture": "proportional", "max_repeats": 3, "floor": 0.05, "budget_tokens": 40 * BLOCK}


@pytest.fixture(scope="module")
def course(root: str) -> CurriculumStream:
    """A run through stages of several views, with changes by hand in three of them."""
    stream = open_stream(root, **SECTION)
    for block, share in ((2, 0.4), (7, 0.2), (9, 0.3), (12, 0.1), (17, 0.2)):
        stream.set_mixture({A: share, B: 1 - share}, "by hand", block=block)
    return stream


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_run_over_stages_of_several_views_goes_on_exactly(root: str, course: CurriculumStream, data: Any) -> None:
    row = data.draw(st.integers(0, 24 * 8 - 1))
    state = json.loads(json.dumps(course.state(row)))
    again = open_stream(root, **SECTION)
    again.load_state(state, data.draw(st.sampled_from([None, course.log()])))
    expected = course.rows(range(row, 24 * 8))
    found = again.rows(range(row, 24 * 8))
    assert np.array_equal(found.tokens, expected.tokens)
    assert again.state(row) == state
    course.seek(row)
    again.seek(row)
    assert {lang: got.passes for lang, got in again.realised().items()} == pytest.approx(passes(course, row))


@pytest.mark.parametrize("row", [0, 31, 32, 57, 80, 100, 124, 128, 140])
def test_another_budget_is_taken_up_with_what_was_sampled_under_each_view(root: str, row: int) -> None:
    stream = open_stream(root, **SECTION)
    boundary = -(-row // 8) * 8
    state = json.loads(json.dumps(stream.state(row)))
    longer = open_stream(root, **{**SECTION, "budget_tokens": 60 * BLOCK})
    longer.load_state(state)
    if row < boundary:
        assert np.array_equal(longer.rows(range(row, boundary)).tokens, stream.rows(range(row, boundary)).tokens)
    # Whenever the budget was changed, at its end a has come as often as the cap says, within two rows.
    assert passes(longer, 60 * 8)[A] == pytest.approx(3, abs=0.1)
