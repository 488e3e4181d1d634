"""Classifiers and how sure their success is."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.naturalness.classifier import cross_validate, folds, success
from pipeline.naturalness.features import character_ngrams

ONE_FOLD = np.zeros(4, np.int64)


@pytest.mark.parametrize(
    ("scores", "auc"),
    [([1, 2, 3, 4], 1.0), ([3, 4, 1, 2], 0.0), ([1, 3, 2, 4], 0.75), ([1, 1, 1, 1], 0.5), ([1, 2, 2, 3], 0.875)],
)
def test_area_under_the_curve(scores: list[float], auc: float) -> None:
    synthetic = np.array([False, False, True, True])
    found = success(np.array(scores, float), synthetic, ["a", "b", "c", "d"], ONE_FOLD, 0)
    assert found.auc == pytest.approx(auc)
    assert 0 <= found.low <= found.high <= 1


def test_scores_of_different_folds_are_not_compared() -> None:
    synthetic = np.array([False, True, False, True])
    fold = np.array([0, 0, 1, 1])
    found = success(np.array([1.0, 2.0, 11.0, 12.0]), synthetic, ["a", "b", "c", "d"], fold, 0)
    assert found.auc == 1.0


def test_passages_without_a_score_are_left_out() -> None:
    synthetic = np.array([False, False, True, True])
    found = success(np.array([1.0, np.nan, 2.0, np.nan]), synthetic, ["a", "b", "c", "d"], ONE_FOLD, 0)
    assert found.auc == 1.0
    nothing = success(np.full(4, np.nan), synthetic, ["a", "b", "c", "d"], ONE_FOLD, 0)
    assert np.isnan([nothing.auc, nothing.low, nothing.high]).all()


def test_few_groups_make_a_wide_interval() -> None:
    # In the first two of four blocks every synthetic passage is found, in the others half of them.
    scores = np.tile(np.arange(10.0), 20)
    synthetic = np.where(np.arange(200) < 100, np.tile(np.arange(10) >= 5, 20), np.tile(np.arange(10) % 2 == 0, 20))
    fold = np.zeros(200, np.int64)
    many = success(scores, synthetic, [str(row) for row in range(200)], fold, 0)
    few = success(scores, synthetic, [str(row // 50) for row in range(200)], fold, 0)
    assert many.auc == few.auc
    assert many.low < many.auc < many.high
    assert few.high - few.low > 1.3 * (many.high - many.low)


def test_a_group_is_in_one_fold_and_folds_are_about_equal() -> None:
    found = folds([f"g{row % 500}" for row in range(1000)], 0)
    assert (found[:500] == found[500:]).all()
    assert np.bincount(found).min() > 150
    assert (folds(["g0", "g1", "g2", "g3", "g4", "g5"], 1) != found[:6]).any()


def test_what_differs_is_told_apart_and_what_does_not_is_not() -> None:
    texts = [f"common words {'xyz' if row % 2 else 'abc'} and more" for row in range(100)]
    synthetic = np.arange(100) % 2 == 1
    names = [str(row) for row in range(100)]
    fold = folds(names, 0)
    apart = success(cross_validate(character_ngrams(texts), synthetic, fold), synthetic, names, fold, 0)
    assert apart.auc == apart.low == 1.0
    same = ["common words and more"] * 100
    chance = success(cross_validate(character_ngrams(same), synthetic, fold), synthetic, names, fold, 0)
    assert chance.auc == 0.5


def test_parent_and_child_do_not_leak() -> None:
    # Each text is there twice, natural and synthetic, and unlike all others. Across folds by row, the other copy of a
    # text would be learnt with the opposite label; by group nothing can be learnt of it.
    texts = [f"{'qwertzuiop'[row // 10]}{'asdfghjkly'[row % 10]} " * 5 for row in range(100)] * 2
    synthetic = np.arange(200) >= 100
    names = [f"g{row % 100}" for row in range(200)]
    fold = folds(names, 0)
    scores = cross_validate(character_ngrams(texts), synthetic, fold)
    assert success(scores, synthetic, names, fold, 0).auc == pytest.approx(0.5)


def test_one_side_in_one_fold_gives_no_score() -> None:
    synthetic = np.array([False] * 5 + [True] * 5)
    fold = np.array([0, 1, 2, 3, 4] + [2] * 5)
    scores = cross_validate(character_ngrams(["text"] * 10), synthetic, fold)
    assert np.isnan(scores[fold == 2]).all()
    assert not np.isnan(scores[fold != 2]).any()
