from __future__ import annotations

import pytest
import torch

from trainer.config import ModelConfig
from trainer.model.language_model import Inputs
from trainer.model.token_rows import OUT, scores
from trainer.model.transformer import Transformer


def test_each_prediction_runs_over_its_own_rows() -> None:
    weight = torch.eye(4)
    found = scores(torch.tensor([[1.0, 2, 3, 4], [1, 2, 3, 4]]), weight, torch.tensor([4, 2]))
    assert found.tolist() == [[1, 2, 3, 4], [1, 2, OUT, OUT]]
    assert found.softmax(dim=-1)[1, 2:].tolist() == [0, 0]


def test_rows_that_no_prediction_has_are_not_computed() -> None:
    assert scores(torch.ones(2, 3), torch.ones(7, 3), torch.tensor([5, 5])).shape == (2, 5)
    assert scores(torch.ones(2, 3), torch.ones(7, 3), torch.tensor([5, 3])).shape == (2, 5)
    assert scores(torch.ones(0, 3), torch.ones(7, 3), torch.ones(0, dtype=torch.int64)).shape == (0, 7)


def inputs(languages: torch.Tensor, tokens: int = 20) -> Inputs:
    rows, length = 3, 6
    return Inputs(
        torch.arange(rows * length).view(rows, length) % tokens,
        torch.zeros(rows, length, dtype=torch.int32),
        torch.arange(length, dtype=torch.int32).repeat(rows, 1),
        languages,
        torch.zeros(rows, dtype=torch.bool),
        torch.tensor([1, 7, 13]),
    )


@pytest.mark.parametrize("mixed", [False, True])
def test_a_larger_vocabulary_leaves_an_old_languages_scores_as_they_were(mixed: bool) -> None:
    torch.manual_seed(0)
    old = Transformer(ModelConfig(width=8, layers=1, heads=2, adapter=0), vocabulary=20, languages=2)
    new = Transformer(ModelConfig(width=8, layers=1, heads=2, adapter=0), vocabulary=29, languages=2)
    state = old.state_dict()
    new.load_state_dict({**state, "embedding.weight": torch.cat([state["embedding.weight"], torch.randn(9, 8)])})
    new.limit_tokens([20, 29])
    zeros = torch.zeros(3, dtype=torch.int64)
    rows = zeros[:, None].repeat(1, 6) if mixed else zeros
    assert torch.equal(new(inputs(rows)).logits, old(inputs(rows)).logits)
    languages = torch.tensor([0, 1, -1])
    found = new(inputs(languages[:, None].repeat(1, 6) if mixed else languages)).logits
    assert found.shape == (3, 29)
    assert (found[0, 20:] == OUT).all()
    assert not (found[1:] == OUT).any()


def test_one_vocabulary_for_all_is_no_limit() -> None:
    model = Transformer(ModelConfig(width=8, layers=1, heads=2), vocabulary=20, languages=2)
    model.limit_tokens([20, 20])
    assert model._token_rows is None
