from __future__ import annotations

import math

import pytest
import torch

from trainer.config import TrainConfig
from trainer.steps.backward import autocast_type, token_losses


def test_number_format_by_device() -> None:
    cpu = torch.device("cpu")
    assert autocast_type(TrainConfig(), cpu) is torch.float32
    assert autocast_type(TrainConfig(precision="bfloat16"), cpu) is torch.bfloat16


def test_label_smoothing_asks_for_all_pieces_and_is_not_in_the_logged_loss() -> None:
    logits = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 6, 3, 3, 1])
    plain, minimised = token_losses(logits, labels, 0.1)
    expected = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(plain, expected)
    smoothed = torch.nn.functional.cross_entropy(logits, labels, reduction="none", label_smoothing=0.1)
    torch.testing.assert_close(minimised, smoothed)
    same, again = token_losses(logits, labels, 0.0)
    assert same is again
    torch.testing.assert_close(same, expected)


def test_z_loss_adds_the_squared_logarithm_of_the_normaliser() -> None:
    scores = torch.tensor([[0.0, math.log(3.0)]])
    plain, minimised = token_losses(scores, torch.tensor([1]), 0.0, 0.1)
    assert plain.item() == pytest.approx(math.log(4 / 3))
    assert minimised.item() == pytest.approx(math.log(4 / 3) + 0.1 * math.log(4) ** 2)
    _, both = token_losses(scores, torch.tensor([1]), 0.5, 0.1)
    softened = 0.5 * math.log(4 / 3) + 0.5 * (math.log(4) - math.log(3) / 2)
    assert both.item() == pytest.approx(softened + 0.1 * math.log(4) ** 2)
