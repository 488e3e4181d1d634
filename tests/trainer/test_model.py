from __future__ import annotations

import pytest
import torch

from trainer.config import ModelConfig
from trainer.model import Inputs, Transformer, attention_mask, parameter_count

SMALL = ModelConfig(width=32, layers=2, heads=2)


def make(config: ModelConfig = SMALL, languages: int = 3) -> Transformer:
    torch.manual_seed(0)
    return Transformer(config, vocabulary=50, languages=languages)


def inputs(tokens: list[list[int]], segments: list[list[int]], *, bidirectional: bool = False) -> Inputs:
    ids, parts = torch.tensor(tokens), torch.tensor(segments, dtype=torch.int32)
    positions = torch.zeros_like(parts)
    for row in range(len(tokens)):
        for column in range(1, len(tokens[0])):
            if parts[row, column] == parts[row, column - 1]:
                positions[row, column] = positions[row, column - 1] + 1
    rows = len(tokens)
    return Inputs(
        ids,
        parts,
        positions,
        torch.zeros(rows, dtype=torch.long),
        torch.full((rows,), bidirectional),
        torch.arange(ids.numel()),
    )


def test_shapes() -> None:
    batch = inputs([[1, 2, 3, 4]] * 3, [[0, 0, 0, 0]] * 3)
    outputs = make()(batch._replace(select=torch.tensor([0, 5])))
    assert outputs.hidden.shape == (3, 4, 32)
    assert outputs.logits.shape == (2, 50)


def test_at_the_start_the_model_equals_its_core() -> None:
    batch = inputs([[1, 2, 3, 4], [5, 6, 7, 8]], [[0, 0, 1, 1], [0, 0, 0, 0]])
    whole = make()
    core = make(SMALL.model_copy(update={"adapter": 0}))
    core.load_state_dict({name: value for name, value in whole.state_dict().items() if ".adapter." not in name})
    assert len(whole.adapters()) == 2
    assert core.adapters() == []
    assert torch.equal(whole(batch).logits, core(batch).logits)


def test_later_tokens_are_not_seen_unless_the_row_is_bidirectional() -> None:
    model = make()
    for bidirectional in (False, True):
        before = model(inputs([[1, 2, 3, 4]], [[0, 0, 0, 0]], bidirectional=bidirectional)).hidden[0]
        after = model(inputs([[1, 2, 3, 9]], [[0, 0, 0, 0]], bidirectional=bidirectional)).hidden[0]
        assert torch.equal(before[:3], after[:3]) is not bidirectional


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_packed_document_is_computed_as_if_alone(bidirectional: bool) -> None:
    model = make()
    packed = model(inputs([[1, 2, 3, 4, 5, 0]], [[0, 0, 1, 1, 1, -1]], bidirectional=bidirectional)).hidden[0]
    first = model(inputs([[1, 2]], [[0, 0]], bidirectional=bidirectional)).hidden[0]
    second = model(inputs([[3, 4, 5]], [[0, 0, 0]], bidirectional=bidirectional)).hidden[0]
    torch.testing.assert_close(packed[:5], torch.cat((first, second)))
    assert torch.isfinite(packed).all()


def test_order_matters() -> None:
    model = make()
    one = model(inputs([[1, 2, 3]], [[0, 0, 0]])).hidden[0, -1]
    other = model(inputs([[2, 1, 3]], [[0, 0, 0]])).hidden[0, -1]
    assert not torch.allclose(one, other, atol=1e-3)


def test_mask() -> None:
    mask = attention_mask(torch.tensor([[0, 0, 1, 1]] * 2), torch.tensor([False, True]))
    assert mask[0, 0].int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]
    assert mask[1, 0].int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]


def test_embeddings_are_tied_and_counted_once() -> None:
    model = make(SMALL.model_copy(update={"adapter": 0, "qk_norm": False}))
    block = 32 * 96 + 32 * 32 + 2 * 32 * 128 + 2 * 32
    assert parameter_count(model) == 50 * 32 + 2 * block + 2 * 32


def test_bfloat16_comes_close_to_float32() -> None:
    model = make()
    batch = inputs([[1, 2, 3, 4]], [[0, 0, 0, 0]])
    exact = model(batch).logits
    with torch.autocast("cpu", torch.bfloat16):
        rounded = model(batch).logits.float()
    assert not torch.equal(rounded, exact)
    torch.testing.assert_close(rounded, exact, atol=0.03, rtol=0.05)
