"""One transformer for causal and for masked prediction: pre-norm blocks, rotary positions, document masks.

Shape letters: B rows, L tokens of a row, D width, H heads, V vocabulary, N predicted tokens.

Blocks are pre-norm with RMSNorm (Zhang & Sennrich 2019, arXiv 1910.07467), rotary positions (Su et al. 2021,
arXiv 2104.09864) counted from the start of each document, optionally RMS-normalised queries and keys (Henry
et al. 2020, arXiv 2010.04245), squared ReLU (So et al. 2021, arXiv 2109.08668), and a language adapter at the
end of each. Input and output embeddings are tied (Press & Wolf 2017, arXiv 1608.05859). A row may be read
from left to right or from both sides; which, is a matter of its attention mask, so one set of weights does both.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.adapters import LanguageAdapter
from trainer.config import ModelConfig


class Inputs(NamedTuple):
    """A batch on the model's device."""

    tokens: Tensor
    """Token ids, int64 [B, L]; hidden ones are replaced by the mask's id."""
    segments: Tensor
    """Document of each token, int32 [B, L]; equal within a document, padding is negative."""
    positions: Tensor
    """Position of each token in its document, int32 [B, L]."""
    languages: Tensor
    """Language index of each row, int64 [B]; -1 for a language without an adapter."""
    bidirectional: Tensor
    """Whether the row is read from both sides, bool [B]."""
    select: Tensor
    """Flat indices, row * L + position, at which a token is predicted, int64 [N]."""


class Outputs(NamedTuple):
    """What the model computed."""

    hidden: Tensor
    """Normalised vectors of the last block, [B, L, D]."""
    logits: Tensor
    """Scores of the selected positions, [N, V]."""


class Block(nn.Module):
    """Attention, feed-forward layer and language adapter, each added to the residual stream."""

    def __init__(self, config: ModelConfig, languages: int) -> None:
        super().__init__()
        shape = config.shape()
        self.heads = shape.heads
        self.attention_norm = RMSNorm(shape.width)
        self.qkv = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.query_norm = RMSNorm(shape.width // shape.heads) if config.qk_norm else nn.Identity()
        self.key_norm = RMSNorm(shape.width // shape.heads) if config.qk_norm else nn.Identity()
        self.attention_out = nn.Linear(shape.width, shape.width, bias=False)
        self.feedforward_norm = RMSNorm(shape.width)
        self.feedforward_in = nn.Linear(shape.width, shape.feedforward, bias=False)
        self.feedforward_out = nn.Linear(shape.feedforward, shape.width, bias=False)
        self.adapter = LanguageAdapter(languages, shape.width, shape.adapter) if shape.adapter else None

    def forward(self, x: Tensor, mask: Tensor, rotation: tuple[Tensor, Tensor], languages: Tensor) -> Tensor:
        """x and result: [B, L, D]."""
        x = x + self.attend(self.attention_norm(x), mask, rotation)
        hidden = functional.relu(self.feedforward_in(self.feedforward_norm(x))).square()
        x = x + self.feedforward_out(hidden)
        return x if self.adapter is None else self.adapter(x, languages)

    def attend(self, x: Tensor, mask: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """Self-attention of each token to those its mask allows."""
        rows, length, width = x.shape
        query, key, value = self.qkv(x).view(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key = rotate(self.query_norm(query), rotation), rotate(self.key_norm(key), rotation)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        merged: Tensor = self.attention_out(mixed.transpose(1, 2).reshape(rows, length, width))
        return merged


class Transformer(nn.Module):
    """The language model.

    Args:
        config: sizes.
        vocabulary: number of token ids, the mask's among them.
        languages: number of languages that have adapters.
    """

    def __init__(self, config: ModelConfig, vocabulary: int, languages: int) -> None:
        super().__init__()
        shape = config.shape()
        self.head_width = shape.width // shape.heads
        self.rotary_base = config.rotary_base
        self.embedding = nn.Embedding(vocabulary, shape.width)
        self.embedding_norm = RMSNorm(shape.width)
        self.blocks = nn.ModuleList(Block(config, languages) for _ in range(shape.layers))
        self.final_norm = RMSNorm(shape.width)
        self.reset(shape.layers)

    def reset(self, layers: int) -> None:
        """Initialise: normal with deviation 1/sqrt(inputs), output projections shrunk by 1/sqrt(2 * layers).

        The shrinking keeps the residual stream's size independent of depth (GPT-2, Radford et al. 2019).
        """
        nn.init.normal_(self.embedding.weight, std=0.02)
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                scale = (2 * layers) ** -0.5 if name.endswith("_out") else 1.0
                nn.init.normal_(module.weight, std=scale * module.in_features**-0.5)

    def adapters(self) -> list[LanguageAdapter]:
        """The language adapters of all blocks; empty when the model has none."""
        return [module for module in self.modules() if isinstance(module, LanguageAdapter)]

    def forward(self, inputs: Inputs) -> Outputs:
        """Hidden vectors of all tokens and the scores of the selected ones."""
        mask = attention_mask(inputs.segments, inputs.bidirectional)
        x = self.embedding_norm(self.embedding(inputs.tokens))
        rotation = rotations(inputs.positions, self.head_width, self.rotary_base)
        for block in self.blocks:
            x = block(x, mask, rotation, inputs.languages)
        hidden = self.final_norm(x)
        chosen = hidden.flatten(0, 1).index_select(0, inputs.select)
        return Outputs(hidden, functional.linear(chosen, self.embedding.weight))


class RMSNorm(nn.Module):
    """x / rms(x) * weight over the last axis, in the precision of x."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape that ends in the width."""
        return functional.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), 1e-6)


def attention_mask(segments: Tensor, bidirectional: Tensor) -> Tensor:
    """Who may see whom: tokens of the same document, and only earlier ones unless the row is bidirectional.

    Args:
        segments: int32 [B, L].
        bidirectional: bool [B].

    Returns:
        bool [B, 1, L, L]; every token sees itself, so no row of the mask is empty.
    """
    length = segments.shape[1]
    same = segments[:, :, None] == segments[:, None, :]
    earlier = torch.ones(length, length, dtype=torch.bool, device=segments.device).tril()
    return (same & (earlier | bidirectional[:, None, None]))[:, None]


def rotations(positions: Tensor, head_width: int, base: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary angles, each [B, 1, L, head_width / 2]."""
    pairs = torch.arange(0, head_width, 2, device=positions.device, dtype=torch.float32)
    angles = positions[:, None, :, None].float() * base ** (-pairs / head_width)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turn each pair (i, i + half) of the last axis by its angle; x is [B, H, L, head_width]."""
    cosine, sine = rotation
    first, second = x.chunk(2, dim=-1)
    turned = torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)
    return turned.to(x.dtype)


def parameter_count(model: nn.Module) -> int:
    """Number of trained values."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
