from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from trainer.objective.task import make_task
from trainer.steps.rows import make_work, of_tokens, spoken_languages


class MixedRows(NamedTuple):
    tokens: np.ndarray
    segments: np.ndarray
    positions: np.ndarray
    languages: np.ndarray
    token_languages: np.ndarray


ROWS = MixedRows(
    np.array([[5, 6, 7, 8], [9, 5, 6, 7]]),
    np.array([[0, 0, 1, 1], [0, 0, 0, 0]], np.int32),
    np.array([[0, 1, 0, 1], [0, 1, 2, 3]], np.int32),
    np.array([-1, 1], np.int32),
    np.array([[0, 0, 2, 2], [1, 1, 1, 1]], np.int32),
)


def test_languages_are_by_row_or_by_token() -> None:
    assert spoken_languages(ROWS).tolist() == [[0, 0, 2, 2], [1, 1, 1, 1]]
    assert spoken_languages(ROWS._replace(languages=np.array([2, 1], np.int32))).tolist() == [2, 1]
    assert of_tokens(np.array([2, 1]), 3).tolist() == [[2, 2, 2], [1, 1, 1]]


def test_predicted_tokens_count_for_their_own_language() -> None:
    def work(rows: MixedRows) -> tuple[list[int], list[float], tuple[int, ...]]:
        no_masks = np.zeros(2, dtype=bool)
        task = make_task(rows.tokens, rows.segments, np.arange(2), no_masks, ratio=0.5, mask_id=4, seed=0)
        found = make_work(rows, task, 3, torch.device("cpu"))
        return found.languages.tolist(), found.counts.tolist(), tuple(found.inputs.languages.shape)

    assert work(ROWS) == ([0, 2, 1, 1, 1], [1, 3, 1], (2, 4))
    # A sentence and its translation in one document: what is predicted at the first's end is the second's beginning.
    pair = ROWS._replace(segments=np.zeros((2, 4), np.int32))
    assert work(pair) == ([0, 2, 2, 1, 1, 1], [1, 3, 2], (2, 4))
    assert work(ROWS._replace(languages=np.array([0, 1], np.int32))) == ([0, 0, 1, 1, 1], [2, 3, 0], (2,))
