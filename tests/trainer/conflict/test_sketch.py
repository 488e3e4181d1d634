from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from corpus.errors import ConfigurationError
from trainer.config import ModelConfig
from trainer.conflict.matrix import between, pooled
from trainer.conflict.sketch import Sketcher, core_maps, signs
from trainer.model.language_model import Inputs, token_languages
from trainer.model.transformer import Transformer

GROUPS = (0, 1, 2, 1)
"""Group of each of four languages."""


def model_of(width: int, layers: int = 2, adapter: int | None = None) -> Transformer:
    torch.manual_seed(3)
    model = Transformer(ModelConfig(width=width, layers=layers, heads=2, adapter=adapter), vocabulary=40, languages=4)
    with torch.no_grad():
        for adapter in model.adapters():
            adapter.up.normal_(std=0.1)
    return model


def batch(rows: int = 12, length: int = 24) -> Inputs:
    """Rows of two documents each; texts of a language prefer tokens of their own."""
    generator = torch.Generator().manual_seed(5)
    languages = torch.arange(rows) % 4
    tokens = torch.randint(5, 20, (rows, length), generator=generator) + 5 * languages[:, None]
    half = length // 2
    segments = torch.cat((torch.zeros(rows, half), torch.ones(rows, length - half)), dim=1).int()
    positions = torch.arange(length).remainder(half).int().repeat(rows, 1)
    select = torch.tensor([row * length + place for row in range(rows) for place in range(length) if place % half])
    return Inputs(tokens, segments, positions, languages, torch.zeros(rows, dtype=torch.bool), select - 1)


def losses(model: Transformer, inputs: Inputs) -> Tensor:
    labels = inputs.tokens.flatten()[inputs.select + 1]
    return torch.nn.functional.cross_entropy(model(inputs).logits, labels, reduction="none")


def exact(model: Transformer, inputs: Inputs, groups: tuple[int, ...] = GROUPS) -> Tensor:
    """Inner products of the groups' gradients on the core's linear layers, one backward pass for each group."""
    weights = [module.weight for _, _, module in core_maps(model)]
    group = torch.tensor(groups)[token_languages(inputs).flatten()[inputs.select]]
    found = []
    for number in range(max(groups) + 1):
        loss = losses(model, inputs)[group == number].sum()
        found.append(torch.cat([part.flatten() for part in torch.autograd.grad(loss, weights)]))  # type: ignore[arg-type]
    stacked = torch.stack(found).double()
    return stacked @ stacked.T


def sketched(model: Transformer, inputs: Inputs, size: int, groups: tuple[int, ...] = GROUPS, parts: int = 1) -> Tensor:
    """The same from sketches of one backward pass, the rows in so many pieces; halves apart, [2 G, 2 G]."""
    sketcher = Sketcher(model, groups, max(groups) + 1, size)
    length = inputs.tokens.shape[1]
    with sketcher.watching():
        for rows in torch.arange(len(inputs.tokens)).chunk(parts):
            first, last = int(rows[0]) * length, (int(rows[-1]) + 1) * length
            select = inputs.select[(inputs.select >= first) & (inputs.select < last)] - first
            piece = Inputs(*(value[rows] for value in inputs[:5]), select)
            with sketcher.forward(piece):
                found = losses(model, piece).sum()
            with sketcher.backward():
                found.backward()
    found = sketcher.sketch().parts.double()
    return (found @ found.transpose(1, 2)).sum(dim=0)


@pytest.mark.parametrize("parts", [1, 5])
def test_layers_narrower_than_the_sketch_are_measured_exactly(parts: int) -> None:
    model, inputs = model_of(16), batch()
    found = pooled(sketched(model, inputs, 64, parts=parts)[None])[0]
    torch.testing.assert_close(found, exact(model, inputs), rtol=1e-4, atol=1e-5)


def test_cosines_of_sketches_are_close_to_the_exact_ones() -> None:
    model, inputs = model_of(128, layers=3), batch(24, 32)
    grams = exact(model, inputs)
    norms = grams.diagonal().sqrt()
    cosines = grams / (norms[:, None] * norms[None])
    for size, allowed in ((32, 0.1), (128, 0.02)):
        found = between(sketched(model, inputs, size)[None])[0]
        assert (found - cosines).abs().max() < allowed
        assert (found - cosines).abs().max() > 1e-4, "the sketch is not exact here, or this test shows nothing"


def test_tokens_of_rows_that_hold_several_languages_count_for_their_own() -> None:
    model, inputs = model_of(16, layers=1, adapter=0), batch()
    mixed = inputs.languages[:, None].repeat(1, 24)
    mixed[:, 12:] = (mixed[:, 12:] + 1) % 4
    inputs = inputs._replace(languages=mixed)
    found = pooled(sketched(model, inputs, 64)[None])[0]
    torch.testing.assert_close(found, exact(model, inputs), rtol=1e-4, atol=1e-5)


def test_halves_are_documents_and_count_their_tokens() -> None:
    model, inputs = model_of(16, layers=1), batch(4)
    sketcher = Sketcher(model, GROUPS, 3, 64)
    with sketcher.watching():
        with sketcher.forward(inputs):
            found = losses(model, inputs).sum()
        with sketcher.backward():
            found.backward()
    # Each row has two documents of 12 tokens, the first of which is not predicted; group 1 has two rows.
    assert sketcher.sketch().tokens.tolist() == [11, 11, 22, 22, 11, 11]


def test_watching_leaves_gradients_and_draws_alone() -> None:
    inputs = batch()
    plain, watched = model_of(16), model_of(16)
    torch.manual_seed(1)
    losses(plain, inputs).sum().backward()
    after = torch.rand(3)
    torch.manual_seed(1)
    sketched(watched, inputs, 4)
    assert torch.equal(after, torch.rand(3))
    for (name, one), other in zip(plain.named_parameters(), watched.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None), name
        assert one.grad is None or other.grad is None or torch.equal(one.grad, other.grad), name
    assert not any(module._forward_hooks for module in watched.modules())


def test_adapters_are_not_the_core() -> None:
    names = [name for _, name, _ in core_maps(model_of(16, layers=1))]
    assert names == [f"blocks.0.{name}" for name in ("qkv", "attention_out", "feedforward_in", "feedforward_out")]


def test_a_frozen_core_cannot_be_measured() -> None:
    model = model_of(16)
    for _, _, module in core_maps(model):
        module.requires_grad_(False)
    with pytest.raises(ConfigurationError, match="none of them is trained"):
        Sketcher(model, GROUPS, 3, 8)


def test_signs_keep_inner_products_in_the_mean() -> None:
    matrices = [signs(20, 8, f"layer {number}", 0) for number in range(400)]
    assert matrices[0].abs().unique().tolist() == [pytest.approx(8**-0.5)]
    assert torch.equal(matrices[1], signs(20, 8, "layer 1", 0))
    assert not torch.equal(matrices[1], signs(20, 8, "layer 1", 1))
    mean = np.mean([(matrix @ matrix.T).numpy() for matrix in matrices], axis=0)
    assert np.abs(mean - np.eye(20)).max() < 0.08
