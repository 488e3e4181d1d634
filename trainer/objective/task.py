"""What is predicted in each row: the next token, hidden tokens, or, row by row, one or the other.

Both objectives predict the token that follows a position, as GPT-BERT does (Charpentier & Samuel 2024, arXiv
2410.24159): a hidden token is predicted at the position before it, so causal and masked rows use the model's
output in the same way and one model does both. A hidden token is always replaced by the mask's id (Wettig et
al. 2023, arXiv 2202.08005, find no gain in keeping or exchanging some).

Which rows are masked and which tokens are hidden follows from a hash of the seed, the row's global index and
the position. Nothing is drawn from a generator, so a resumed run, or one on another number of processes,
hides the same tokens.

Everything here runs on the host in NumPy, before the batch goes to the device: the number of predicted tokens
is then known without asking the device for it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus.hashing import stable_hash
from trainer.config import ObjectiveConfig
from trainer.optimiser.schedules import linear

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


class Task(NamedTuple):
    """The prediction task of some rows; B rows of L tokens, N predictions."""

    tokens: IntArray
    """[B, L]; hidden tokens replaced by the mask's id."""
    bidirectional: BoolArray
    """[B]; the masked rows."""
    select: IntArray
    """[N]; flat positions, row * L + column, where a token is predicted, ascending."""
    labels: IntArray
    """[N]; the tokens to be predicted, each from the position before it."""


def mask_ratio(config: ObjectiveConfig, step: int, total: int) -> float:
    """Share of the tokens hidden in the masked rows of a step."""
    return linear(config.mask_ratio, config.mask_ratio_end, step, total)


def masked_rows(config: ObjectiveConfig, rows: IntArray, seed: int) -> BoolArray:
    """Which of the rows, given by their global indices, are masked ones; [B]."""
    if config.kind == "mixed":
        share = uniform(stable_hash("objective", seed), rows, 1)[:, 0]
        return np.asarray(share < config.masked_share, dtype=bool)
    return np.full(len(rows), config.kind == "masked")


def make_task(
    tokens: IntArray,
    segments: npt.NDArray[np.int32],
    rows: IntArray,
    masked: BoolArray,
    *,
    ratio: float,
    mask_id: int,
    seed: int,
    left_out: BoolArray | None = None,
) -> Task:
    """Choose what is predicted.

    Args:
        tokens: [B, L].
        segments: document of each token, [B, L]; negative for padding.
        rows: global index of each row, [B].
        masked: which rows hide tokens, [B]; the others predict every token that has one before it.
        ratio: share of the tokens hidden in a masked row.
        mask_id: id put in place of hidden tokens.
        seed: of the run.
        left_out: tokens that are never predicted, [B, L]; None for none.
    """
    predicted = np.zeros(tokens.shape, dtype=bool)
    predicted[:, 1:] = (segments[:, 1:] == segments[:, :-1]) & (segments[:, 1:] >= 0)
    if left_out is not None:
        predicted &= ~left_out
    inputs = tokens
    if masked.any():
        hidden = predicted & (uniform(stable_hash("mask", seed), rows, tokens.shape[1]) < ratio) & masked[:, None]
        inputs = np.where(hidden, mask_id, tokens)
        predicted = np.where(masked[:, None], hidden, predicted)
    targets = np.flatnonzero(predicted)
    return Task(inputs, masked, targets - 1, tokens.reshape(-1)[targets])


def uniform(key: int, rows: IntArray, columns: int) -> npt.NDArray[np.float64]:
    """Numbers in [0, 1) that depend on key, row index and column alone, [B, columns].

    SplitMix64's output function (Steele, Lea & Flood 2014), applied to the row's index and then, keyed by that,
    to the column.
    """
    keyed = _mix(_mix(rows.astype(np.uint64) * _GOLDEN + np.uint64(key)))
    counter = np.arange(1, columns + 1, dtype=np.uint64) * _GOLDEN
    bits = _mix(keyed[:, None] + counter[None, :])
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    value = (value ^ (value >> np.uint64(30))) * _MIX[0]
    value = (value ^ (value >> np.uint64(27))) * _MIX[1]
    return value ^ (value >> np.uint64(31))
