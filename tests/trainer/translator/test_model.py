from __future__ import annotations

from typing import Any

import torch

from trainer.translator.model import begin_copying, build
from trainer.translator.size import Shape

SHAPE = Shape(dimensions=32, feed_forward=64, encoder_layers=2, decoder_layers=2, heads=4)


def model() -> Any:
    return build(SHAPE, 50, positions=32, dropout=0.0, attention_dropout=0.0, seed=3)


def test_what_is_looked_at_comes_out_as_it_is() -> None:
    made = model()
    begin_copying(made, seed=1)
    vectors = torch.randn(7, 32, generator=torch.Generator().manual_seed(0))
    for layer in made.model.decoder.layers:
        attention = layer.encoder_attn
        torch.testing.assert_close(attention.out_proj(attention.v_proj(vectors)), vectors, atol=1e-5, rtol=1e-4)
    # Where to look is left to training.
    other = model()
    for ours, others in zip(made.model.decoder.layers, other.model.decoder.layers, strict=True):
        assert torch.equal(ours.encoder_attn.q_proj.weight, others.encoder_attn.q_proj.weight)
        assert torch.equal(ours.fc2.weight, others.fc2.weight * 0.3)
    for ours, others in zip(made.model.encoder.layers, other.model.encoder.layers, strict=True):
        assert torch.equal(ours.self_attn.out_proj.weight, others.self_attn.out_proj.weight * 0.3)


def test_a_source_of_one_token_is_written() -> None:
    """With one token to look at, attention can look nowhere else."""
    made, other = model().eval(), model().eval()
    begin_copying(made, seed=1)
    tokens = torch.arange(2, 48)[:, None]
    starts = torch.full_like(tokens, 49)

    def written(one: Any) -> int:
        with torch.no_grad():
            logits = one(input_ids=tokens, decoder_input_ids=starts).logits[:, 0]
        return int((logits.argmax(dim=1) == tokens[:, 0]).sum())

    assert written(made) > 40
    assert written(other) < 10


def test_the_seed_decides_the_rotation() -> None:
    weights = []
    for seed in (1, 1, 2):
        made = model()
        begin_copying(made, seed)
        weights.append(made.model.decoder.layers[0].encoder_attn.v_proj.weight.detach())
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
