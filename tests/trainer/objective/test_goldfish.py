from __future__ import annotations

import numpy as np

from trainer.objective.goldfish import forgotten


def test_the_same_passage_loses_the_same_tokens_wherever_it_stands() -> None:
    passage = np.arange(100, 160)
    one = np.concatenate([np.full(10, 7), passage])[None]
    other = np.concatenate([np.full(3, 9), passage, np.full(7, 8)])[None]
    context = 5
    first = forgotten(one, np.zeros(one.shape, np.int32), context, 4)[0, 10 + context : 70]
    second = forgotten(other, np.zeros(other.shape, np.int32), context, 4)[0, 3 + context : 63]
    assert first.tolist() == second.tolist()
    assert 5 <= first.sum() <= 25


def test_one_token_in_k_is_left_out() -> None:
    tokens = np.random.default_rng(0).integers(5, 4000, (64, 512))
    found = forgotten(tokens, np.zeros(tokens.shape, np.int32), 13, 4)
    assert not found[:, :13].any()
    assert abs(found[:, 13:].mean() - 0.25) < 0.01


def test_documents_are_hashed_alone() -> None:
    tokens = np.tile(np.arange(40), (1, 2))
    segments = np.repeat(np.array([0, 1], np.int32), 40)[None]
    found = forgotten(tokens, segments, 6, 2)[0]
    assert found[:40].tolist() == found[40:].tolist()
    assert not found[40:46].any()
    assert found[6:40].any()


def test_rows_shorter_than_the_context() -> None:
    assert not forgotten(np.ones((2, 4), np.int64), np.zeros((2, 4), np.int32), 4, 2).any()
