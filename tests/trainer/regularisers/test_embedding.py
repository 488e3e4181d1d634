from __future__ import annotations

import pytest
import torch

from tests.trainer.regularisers.conftest import MakeMoment
from trainer.model.transformer import Transformer
from trainer.regularisers.embedding import penalty
from trainer.regularisers.options import EmbeddingOptions

OCCURRENCES = torch.tensor([1000.0, 10, 0, 0, 0, 0, 0, 0, 0, 0])


def two_rows(model: Transformer) -> None:
    """All rows 0 but piece 0 at (2, 0, ...) and piece 1 at (-2, 0, ...): the mean is 0, the variance 8 / 80."""
    with torch.no_grad():
        model.embedding.weight.zero_()
        model.embedding.weight[0, 0], model.embedding.weight[1, 0] = 2.0, -2.0


def test_divergence_over_the_occurrences_of_each_predicted_token(model: Transformer, make_moment: MakeMoment) -> None:
    two_rows(model)
    moment = make_moment(model, labels=[0, 0, 1, 5], languages=[0, 0, 1, 1], evidence={"occurrences": OCCURRENCES})
    result = penalty(moment, EmbeddingOptions(), {})
    kl = 4 / (2 * 0.1)
    assert result.metrics["kl"].item() == pytest.approx(3 * kl / 4)
    assert result.value.item() == pytest.approx((2 * kl / 1000 + kl / 10) / 4)
    result.value.backward()
    grad = model.embedding.weight.grad
    assert grad is not None
    # Each occurrence of piece 0 pulls with 2 / 0.1 / 1000 of 4, that of piece 1 a hundred times as much.
    assert grad[:2, 0].tolist() == pytest.approx([2 * 2 / 0.1 / 1000 / 4, -2 / 0.1 / 10 / 4])
    assert (grad[2:] == 0).all()
    assert (grad[:, 1:] == 0).all()


def test_power_and_strength_of_the_language(model: Transformer, make_moment: MakeMoment) -> None:
    two_rows(model)
    moment = make_moment(
        model,
        labels=[0, 1],
        languages=[2, 0],
        evidence={"occurrences": OCCURRENCES},
        strengths=torch.tensor([1.0, 1.0, 3.0]),
    )
    assert penalty(moment, EmbeddingOptions(power=0), {}).value.item() == pytest.approx((3 * 20 + 20) / 2)


def test_start_is_remembered_as_it_was(model: Transformer, make_moment: MakeMoment) -> None:
    moment = make_moment(model, labels=[3], languages=[0], evidence={"occurrences": OCCURRENCES})
    options = EmbeddingOptions(prior="start")
    first = penalty(moment, options, {})
    assert first.value.item() == 0.0
    with torch.no_grad():
        model.embedding.weight[3] += 0.5
    second = penalty(moment, options, first.memory)
    weight = model.embedding.weight.detach()
    variance = (weight - weight.mean(dim=0)).square().mean()
    assert second.value.item() == pytest.approx(8 * 0.25 / (2 * variance.item()))
    torch.testing.assert_close(weight[3] - second.memory["prior"][3], torch.full((8,), 0.5))


def test_running_mean_moves_once_a_step(model: Transformer, make_moment: MakeMoment) -> None:
    given = {"labels": [3], "languages": [0], "evidence": {"occurrences": OCCURRENCES}}
    options = EmbeddingOptions(prior="average", decay=0.75)
    memory = {"prior": torch.zeros(10, 8)}
    early = penalty(make_moment(model, last=False, **given), options, memory)
    assert torch.equal(early.memory["prior"], torch.zeros(10, 8))
    late = penalty(make_moment(model, **given), options, early.memory)
    torch.testing.assert_close(late.memory["prior"], model.embedding.weight.detach() / 4)
