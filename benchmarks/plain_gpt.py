"""A decoder as tutorials write it, to time the trainer against: one file, nothing but PyTorch.

GPT-2's blocks (Radford et al. 2019): layer norms before attention and feed-forward layer, learnt positions, GELU, tied
embeddings. Rows are read whole, across the borders of documents, and every token but the first is predicted: no masks,
no languages, no counts, no log. Same width, layers, heads and rows of a pass as the model that it stands beside.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.config import Shape


class PlainBlock(nn.Module):
    """Attention and feed-forward layer."""

    def __init__(self, width: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_one, self.norm_two = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, feedforward, bias=False), nn.Linear(feedforward, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x and result: [B, L, D]."""
        rows, length, width = x.shape
        query, key, value = (
            part.view(rows, length, self.heads, -1).transpose(1, 2) for part in self.qkv(self.norm_one(x)).chunk(3, -1)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(rows, length, width))
        added: Tensor = self.down(functional.gelu(self.up(self.norm_two(x))))
        return x + added


class PlainGpt(nn.Module):
    """Token ids [B, L] to the mean loss of the tokens that follow."""

    def __init__(self, shape: Shape, vocabulary: int, length: int) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, shape.width), nn.Embedding(length, shape.width)
        self.blocks = nn.Sequential(
            *(PlainBlock(shape.width, shape.heads, shape.feedforward) for _ in range(shape.layers))
        )
        self.norm = nn.LayerNorm(shape.width, bias=False)
        nn.init.normal_(self.tokens.weight, std=0.02)
        nn.init.normal_(self.positions.weight, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """The mean loss, a scalar."""
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        scores = functional.linear(self.norm(self.blocks(x)), self.tokens.weight)
        return functional.cross_entropy(scores[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


def plain_gpt(shape: Shape, vocabulary: int, tokens: Tensor, pass_rows: int) -> tuple[Callable[[int], object], int]:
    """A training step on the same rows each time, and the model's size.

    Args:
        shape: sizes.
        vocabulary: number of token ids.
        tokens: int64 [B, L], on the device.
        pass_rows: rows of one forward pass.
    """
    torch.manual_seed(0)
    model = PlainGpt(shape, vocabulary, tokens.shape[1]).to(tokens.device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    passes = torch.split(tokens, pass_rows)

    def step(number: int) -> None:
        optimiser.zero_grad()
        for part in passes:
            torch.autograd.backward(model(part) * (len(part) / len(tokens)))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()

    return step, sum(parameter.numel() for parameter in model.parameters())
