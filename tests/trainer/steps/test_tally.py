from __future__ import annotations

import json
import math

import numpy as np
import torch

from trainer.distributed import World
from trainer.steps.tally import Tally, mean

ALONE = World(0, 1, torch.device("cpu"))


def test_counts_by_language() -> None:
    tally = Tally(3, ALONE.device)
    tally.add_loss(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([0, 2, 2]))
    tally.add_seen(np.array([0, 2]), np.array([[0, 0, 1], [0, 0, -1]], dtype=np.int32))
    tally.collect(ALONE)
    assert tally.window.tolist() == [[1, 1], [0, 0], [6, 2]]
    assert tally.window_seen.tolist() == [3, 0, 2]
    assert tally.mean_loss() == 7 / 3
    assert math.isnan(mean(tally.window[1]))
    tally.next_window()
    tally.add_loss(torch.tensor([5.0]), torch.tensor([1]))
    tally.collect(ALONE)
    assert tally.window.tolist() == [[0, 0], [5, 1], [0, 0]]
    assert tally.window_seen.tolist() == [0, 0, 0]
    assert tally.seen.tolist() == [3, 0, 2]


def test_state_survives_json() -> None:
    tally = Tally(2, ALONE.device)
    tally.add_loss(torch.rand(9) / 3, torch.zeros(9, dtype=torch.long))
    tally.collect(ALONE)
    other = Tally(2, ALONE.device)
    other.load_state(json.loads(json.dumps(tally.state())))
    assert (other.window == tally.window).all()


def test_tokens_of_rows_of_several_languages_are_counted_by_token() -> None:
    tally = Tally(3, ALONE.device)
    tally.add_seen(np.array([[0, 2, 2], [1, 1, 1]]), np.array([[0, 1, 1], [0, 0, -1]], dtype=np.int32))
    tally.collect(ALONE)
    assert tally.seen.tolist() == [1, 2, 2]
