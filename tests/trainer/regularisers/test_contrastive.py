from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from trainer.config import ModelConfig
from trainer.config.parallel import ContrastiveOptions, two_thirds
from trainer.model.language_model import Inputs, Outputs
from trainer.model.transformer import Transformer
from trainer.parallel.pairs import Pairs, pooled
from trainer.regularisers.base import Evidence, Moment
from trainer.regularisers.contrastive import centred, penalty


def _pairs(count: int, alike: Tensor | None = None, groups: list[int] | None = None) -> Pairs:
    """Sentences of two tokens each, in one row."""
    own = torch.arange(count) // 2
    return Pairs(
        sentences=torch.arange(count).repeat_interleave(2)[None],
        lengths=torch.full((count,), 2.0),
        languages=torch.arange(count) % 2,
        groups=own if groups is None else torch.tensor(groups),
        alike=own[:, None] == own[None, :] if alike is None else alike,
        gather=lambda values: values,
    )


def _moment(vectors: Tensor, pairs: Pairs) -> Moment:
    """A pass whose sentences have these means, [S, D]."""
    spread = torch.tensor([1.0, -1.0]).repeat(len(vectors))[:, None]
    inner = (vectors.repeat_interleave(2, dim=0) + spread)[None]
    nothing = torch.zeros(0, dtype=torch.int64)
    inputs = Inputs(nothing, nothing, nothing, nothing, nothing, nothing)
    return Moment(
        model=Transformer(ModelConfig(width=8, layers=2, heads=2), 10, 2),
        batch=inputs,
        outputs=Outputs(inner, torch.zeros(0, 10), {0: inner}),
        losses=torch.zeros(0),
        labels=nothing,
        languages=nothing,
        evidence=Evidence(torch.ones(2), torch.full((2,), 0.5)),
        again=lambda: Outputs(inner, torch.zeros(0, 10)),
        step=0,
        total=1,
        pairs=pairs,
    )


def _value(vectors: Tensor, pairs: Pairs, **options: object) -> float:
    return float(penalty(_moment(vectors, pairs), ContrastiveOptions.model_validate({"layer": 0, **options}), {}).value)


def test_the_loss_of_two_pairs_by_hand() -> None:
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.0, 3.0]])
    found = penalty(_moment(vectors, _pairs(4)), ContrastiveOptions(layer=0, temperature=0.5), {})
    assert float(found.value) == pytest.approx(math.log(1 + 2 * math.exp(-2)))
    assert {name: round(float(value), 6) for name, value in found.metrics.items()} == {
        "accuracy": 1.0,
        "cosine_of_translations": 1.0,
        "cosine_of_others": 0.0,
    }
    assert found.memory == {}


def test_sentences_that_are_alike_are_no_negatives() -> None:
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.9, 0.1], [0.8, 0.1], [0.0, 1.0], [0.0, 1.0]])
    alike = torch.eye(3, dtype=torch.bool)
    alike[0, 1] = alike[1, 0] = True
    wide = alike.repeat_interleave(2, 0).repeat_interleave(2, 1)
    assert _value(vectors, _pairs(6)) > 0.5
    assert _value(vectors, _pairs(6, wide)) < 0.01


def test_its_gradient_draws_translations_together() -> None:
    torch.manual_seed(0)
    vectors = torch.randn(8, 6, requires_grad=True)
    moment = _moment(vectors, _pairs(8))
    before = penalty(moment, ContrastiveOptions(layer=0), {})
    (gradient,) = torch.autograd.grad(before.value, vectors)
    after = penalty(_moment(vectors.detach() - 0.05 * gradient, _pairs(8)), ContrastiveOptions(layer=0), {})
    assert after.value < before.value
    assert after.metrics["cosine_of_translations"] > before.metrics["cosine_of_translations"]


def test_the_queue_holds_the_newest_vectors_and_those_of_the_same_group_are_no_negatives() -> None:
    options = ContrastiveOptions(layer=0, queue=6, temperature=0.5)
    first = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0], [0.0, 2.0]], requires_grad=True)
    one = penalty(_moment(first, _pairs(4, groups=[5, 5, 6, 6])), options, {})
    assert one.value.item() == pytest.approx(math.log(1 + 2 * math.exp(-2)))  # the empty places count for nothing
    assert one.memory["queue_groups"].tolist() == [5, 5, 6, 6, -1, -1]
    assert one.memory["queue"].tolist() == [[1, 0], [1, 0], [0, 1], [0, 1], [0, 0], [0, 0]]
    assert not one.memory["queue"].requires_grad
    second = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, -1.0]])
    two = penalty(_moment(second, _pairs(4, groups=[5, 5, 7, 7])), options, one.memory)
    # Sentences of group 5 meet those of group 6 in the queue, those of group 7 meet those of both.
    fives = math.log(1 + 2 * math.exp(-2) + 2 * math.exp(-2))
    sevens = math.log(1 + 2 * math.exp(-2) + 2 * math.exp(-2) + 2 * math.exp(-4))
    assert two.value.item() == pytest.approx((fives + sevens) / 2)
    assert two.memory["queue_groups"].tolist() == [5, 5, 7, 7, 5, 5]


def test_means_of_languages_are_taken_off_and_remembered() -> None:
    vectors = torch.tensor([[1.0, 0.0], [5.0, 5.0], [3.0, 2.0], [5.0, 7.0]])
    languages = torch.tensor([0, 1, 0, 1])
    found, memory = centred(vectors, languages, 3, 0.5, {})
    assert found.tolist() == [[-1.0, -1.0], [0.0, -1.0], [1.0, 1.0], [0.0, 1.0]]
    assert memory["weight"].tolist() == [2.0, 2.0, 0.0]
    found, memory = centred(torch.tensor([[8.0, 1.0]]), torch.tensor([0]), 3, 0.5, memory)
    assert memory["means"].tolist() == [[5.0, 1.0], [5.0, 6.0], [0.0, 0.0]]
    assert memory["weight"].tolist() == [2.0, 2.0, 0.0]
    assert found.tolist() == [[3.0, 0.0]]


def test_centring_keeps_a_language_from_giving_its_sentences_away() -> None:
    meaning = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    vectors = (meaning.repeat_interleave(2, 0) + torch.tensor([[20.0, 0.0], [0.0, 20.0]]).repeat(4, 1)).detach()
    assert _value(vectors, _pairs(8)) > 5
    assert _value(vectors, _pairs(8), centre=True) < 0.01


def test_pooling_takes_each_sentences_tokens_and_no_padding() -> None:
    pairs = _pairs(2)._replace(sentences=torch.tensor([[0, 0, -1], [1, -1, -1]]), lengths=torch.tensor([2.0, 1.0]))
    vectors = torch.tensor([[[1.0], [3.0], [9.0]], [[5.0], [9.0], [9.0]]])
    assert pooled(vectors, pairs).tolist() == [[2.0], [5.0]]


def test_the_block_is_the_one_at_two_thirds_unless_named() -> None:
    assert [two_thirds(layers) for layers in (1, 2, 3, 4, 12)] == [0, 0, 1, 2, 7]
    assert ContrastiveOptions(layer=1).block(12) == 1
