from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.model.attention import Dense, Whole, attention_mask, dense, lay_out
from trainer.model.documents import Documents

CPU = torch.device("cpu")


def rows(*segments: list[int]) -> np.ndarray:
    return np.array(segments, dtype=np.int32)


def test_mask() -> None:
    mask = attention_mask(torch.tensor([[0, 0, 1, 1]] * 2), torch.tensor([False, True]))
    assert mask[0, 0].int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]
    assert mask[1, 0].int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]


def test_rows_of_one_document_need_no_mask() -> None:
    segments = rows([0, 0, 0], [4, 4, 4])
    assert lay_out(segments, np.array([False, False]), CPU) == Whole(causal=True)
    assert lay_out(segments, np.array([True, True]), CPU) == Whole(causal=False)
    assert isinstance(lay_out(segments, np.array([True, False]), CPU), Documents)
    assert isinstance(lay_out(rows([0, 0, 1], [4, 4, 4]), np.array([False, False]), CPU), Documents)
    assert lay_out(segments, np.array([False, False]), CPU, "dense") is None


@pytest.mark.parametrize("both", [False, True])
def test_whole_rows_are_computed_as_under_a_mask(both: bool) -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 5, 3, 4).unbind(0)
    masked = dense(torch.zeros(2, 5, dtype=torch.int32), torch.tensor([both, both]))
    whole = Whole(causal=not both)
    torch.testing.assert_close(whole.attend(query, key, value), masked.attend(query, key, value))
    assert whole.rows(torch.tensor([1])) == whole


def test_some_rows_of_a_mask() -> None:
    mask = torch.rand(3, 1, 4, 4) < 0.5
    assert torch.equal(Dense(mask).rows(torch.tensor([0, 2])).mask, mask[[0, 2]])
