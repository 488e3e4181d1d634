"""A classifier that tells natural from synthetic passages, as far as anything does, and how sure its success is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corpus.hashing import stable_hash
from pipeline.vectors import mix

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FOLDS: Final = 5
REPLICATES: Final = 200
"""Of the bootstrap."""
_PENALTY: Final = 10.0
"""Inverse strength of the ridge penalty."""


@dataclass(frozen=True)
class Success:
    """The area under the ROC curve of a classifier, and the interval that resampling gives."""

    auc: float
    """Probability that a synthetic passage looks more synthetic than a natural one; 0.5 is chance, 1 certainty."""
    low: float
    high: float
    """Of nine tenths of the resamples."""


def folds(groups: Sequence[str], seed: int, count: int = FOLDS) -> Int64s:
    """The fold of each of n passages, by hash of the group; parent and child share one."""
    return np.array([stable_hash("fold", group, seed=seed) % count for group in groups], np.int64)


def cross_validate(features: Any, synthetic: Bools, fold: Int64s) -> Floats:
    """Scores of n passages by classifiers that saw none of their groups; larger is more synthetic.

    Within each fold the scores are replaced by their ranks, 0 to 1, since two classifiers' scores do not compare.

    Args:
        features: sparse matrix of counts, [n, columns].
        synthetic: [n]
        fold: [n]
    """
    scores = np.full(len(synthetic), np.nan)
    rows = scaled(features)
    for number in np.unique(fold):
        test = fold == number
        if len(np.unique(synthetic[~test])) < 2:
            continue
        weights, bias = fit(rows[~test], synthetic[~test])
        scores[test] = rows[test] @ weights + bias
    return scores


def fit(rows: Any, synthetic: Bools) -> tuple[Floats, float]:
    """Weights of a logistic regression, both classes counting the same."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=_PENALTY, solver="liblinear", class_weight="balanced", random_state=0, max_iter=200)
    model.fit(rows, synthetic)
    return model.coef_[0], float(model.intercept_[0])


def scaled(features: Any) -> Any:
    """Square roots of counts, each row of length 1."""
    from sklearn.preprocessing import normalize

    rows = features.copy()
    rows.data = np.sqrt(rows.data)
    return normalize(rows)


def success(scores: Floats, synthetic: Bools, groups: Sequence[str], fold: Int64s, seed: int) -> Success:
    """The mean AUC over folds, and its interval by resampling groups.

    Each group gets a weight from a Poisson distribution of mean 1, the limit of drawing groups with replacement, by
    hash (Poisson bootstrap; Chamandy et al. 2012).

    Args:
        scores: [n], NaN where no classifier could be fitted.
        synthetic, groups, fold: [n] each.
        seed: of the weights.
    """
    names, place = np.unique(np.array(groups), return_inverse=True)
    hashes = np.array([stable_hash("bootstrap", name, seed=seed) for name in names.tolist()], np.uint64)
    steps = np.arange(1, REPLICATES + 1, dtype=np.uint64)[:, None]
    uniform = (mix(hashes + steps) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    drawn = np.searchsorted(_POISSON, uniform, side="right").astype(np.float64)
    weights = np.concatenate((np.ones((1, len(scores))), drawn[:, place]))
    auc, *resampled = _mean_auc(scores, synthetic, fold, weights).tolist()
    if np.isnan(resampled).all():
        return Success(auc, auc, auc)
    low, high = np.nanquantile(resampled, (0.05, 0.95)).tolist()
    return Success(auc, low, high)


_POISSON: Final = np.cumsum([0.36787944117144233 / factorial for factorial in (1, 1, 2, 6, 24, 120, 720)])


def _mean_auc(scores: Floats, synthetic: Bools, fold: Int64s, weights: Floats) -> Floats:
    """AUC over folds, each by its weight of pairs, for r weightings of n scores; ties count a half.

    Args:
        scores, synthetic, fold: [n], NaN for passages without a score.
        weights: [r, n]

    Returns:
        [r], NaN where no fold has both kinds.
    """
    total, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for number in np.unique(fold):
        inside = np.flatnonzero((fold == number) & ~np.isnan(scores))
        if not len(inside):
            continue
        order = inside[np.argsort(scores[inside], kind="stable")]
        begins = np.flatnonzero(np.diff(scores[order], prepend=np.nan) != 0)
        positive = np.add.reduceat(weights[:, order] * synthetic[order], begins, axis=1)
        negative = np.add.reduceat(weights[:, order] * ~synthetic[order], begins, axis=1)
        below = np.cumsum(negative, axis=1) - negative
        total += (positive * (below + negative / 2)).sum(axis=1)
        pairs += positive.sum(axis=1) * negative.sum(axis=1)
    with np.errstate(invalid="ignore"):
        found: Floats = total / pairs
    return found
