"""Vectors are laid in another order, and their gradients come back from the one place that counts."""

from __future__ import annotations

import torch

from trainer.model.moving import moved


def test_vectors_go_to_their_places_and_padding_has_no_gradient() -> None:
    vectors = torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
    found = moved(vectors, torch.tensor([2, 0, 1, 0]), torch.tensor([1, 2, 0]))
    assert found.flatten().tolist() == [3.0, 1.0, 2.0, 1.0]
    (found * torch.tensor([[10.0], [20.0], [30.0], [40.0]])).sum().backward()
    assert vectors.grad is not None
    assert vectors.grad.flatten().tolist() == [20.0, 30.0, 10.0]
