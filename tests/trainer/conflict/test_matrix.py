from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from trainer.conflict.matrix import ConflictMatrix, between, pooled
from trainer.conflict.sketch import Sketch

CPU = torch.device("cpu")


def sketch(*halves: tuple[float, float], tokens: tuple[float, ...] | None = None) -> Sketch:
    """Two-dimensional gradients of groups' halves on one block."""
    counts = torch.tensor(tokens or [1.0] * len(halves), dtype=torch.float64)
    return Sketch(torch.tensor([halves]), counts)


def rounded(values: Tensor) -> list[float]:
    return [round(value, 6) for value in values.flatten().tolist()]


def test_cosines_norms_and_shares_of_two_groups() -> None:
    # Group 0 is (3, 0) + (0, 1) = (3, 1), group 1 is (-1, 1) + (-1, 1) = (-2, 2); the step's gradient is (1, 3).
    report = ConflictMatrix(2, 0.5, CPU).update(sketch((3, 0), (0, 1), (-1, 1), (-1, 1), tokens=(1, 1, 4, 4)), 10)
    cosine = -4 / math.sqrt(10 * 8)
    assert rounded(report.cosines) == pytest.approx([0, cosine, cosine, 1], abs=1e-6)
    # The loss is a mean over 10 tokens, of which group 0 has 2 and group 1 has 8.
    assert rounded(report.norms) == pytest.approx([math.sqrt(10) * 5, math.sqrt(8) * 10 / 8], abs=1e-6)
    assert rounded(report.shares) == pytest.approx([0.6, 0.4])
    assert rounded(report.blocks) == pytest.approx([cosine], abs=1e-6)


def test_means_go_on_over_the_measurements_that_saw_a_pair() -> None:
    matrix = ConflictMatrix(2, 0.5, CPU)
    matrix.update(sketch((1, 0), (1, 0), (0, 1), (0, 1)), 4)
    unseen = matrix.update(sketch((1, 0), (0, 1), (0, 0), (0, 0)), 4)
    # Between the halves of group 0: 1, then 0; the mean of decay 1/2 is (1/2 * 1 + 0) / (1/2 + 1).
    assert rounded(unseen.cosines)[:3] == pytest.approx([1 / 3, 0, 0], abs=1e-6)
    assert rounded(unseen.cosines)[3] == 1
    assert [round(value, 6) for value in unseen.norms.tolist()] == [2.828427, 0]
    seen = matrix.update(sketch((1, 0), (1, 0), (1, 0), (1, 0)), 4)
    assert seen.cosines[0, 1].item() == pytest.approx((0 + 1) / 1.5)


def test_a_pair_never_seen_has_no_cosine_and_state_goes_on() -> None:
    first = ConflictMatrix(2, 0.9, CPU)
    report = first.update(sketch((1, 0), (1, 0), (0, 0), (0, 0)), 4)
    assert math.isnan(report.cosines[0, 1])
    assert math.isnan(report.blocks[0])
    second = ConflictMatrix(2, 0.9, CPU)
    second.load_state(first.state())
    later = sketch((1, 2), (1, 0), (2, 1), (0, 1))
    assert torch.equal(first.update(later, 4).cosines, second.update(later, 4).cosines)


def test_blocks_are_told_apart_and_added_up() -> None:
    grams = torch.eye(4, dtype=torch.float64)[None].repeat(2, 1, 1)
    grams[1] = -1
    assert pooled(grams).tolist() == [[[2, 0], [0, 2]], [[-4, -4], [-4, -4]]]
    assert rounded(between(grams)[0]) == [1, 0, 0, 1]
