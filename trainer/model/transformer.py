"""One transformer for causal and for masked prediction: pre-norm blocks, rotary positions, document masks.

Languages may have gains of their own in the norms, and gates on their adapters; both begin as if they were not
there.

Shape letters: B rows, L tokens of a row, D width, H heads, V vocabulary, N predicted tokens.

Blocks are pre-norm with RMSNorm (Zhang & Sennrich 2019, arXiv 1910.07467), rotary positions (Su et al. 2021,
arXiv 2104.09864) counted from the start of each document, optionally RMS-normalised queries and keys (Henry
et al. 2020, arXiv 2010.04245), squared ReLU (So et al. 2021, arXiv 2109.08668), and a language adapter at the
end of each. Input and output embeddings are tied (Press & Wolf 2017, arXiv 1608.05859). A row may be read
from left to right or from both sides; which, is a matter of its attention mask, so one set of weights does both.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.config import ModelConfig
from trainer.model.adapters import LanguageAdapter, capacities
from trainer.model.attention import Layout, dense
from trainer.model.grouping import Groups
from trainer.model.language_model import Inputs, LanguageModel, Outputs
from trainer.model.noise import SILENT, Noise, drop, kept_rows


class Block(nn.Module):
    """Attention, feed-forward layer and language adapter, each added to the residual stream."""

    def __init__(self, config: ModelConfig, languages: int, ranks: Sequence[int] | None) -> None:
        super().__init__()
        shape = config.shape()
        own = languages if config.norm_gains else 0
        self.heads = shape.heads
        self.attention_norm = RMSNorm(shape.width, own)
        self.qkv = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.query_norm = RMSNorm(shape.width // shape.heads) if config.qk_norm else nn.Identity()
        self.key_norm = RMSNorm(shape.width // shape.heads) if config.qk_norm else nn.Identity()
        self.attention_out = nn.Linear(shape.width, shape.width, bias=False)
        self.feedforward_norm = RMSNorm(shape.width, own)
        self.feedforward_in = nn.Linear(shape.width, shape.feedforward, bias=False)
        self.feedforward_out = nn.Linear(shape.feedforward, shape.width, bias=False)
        self.adapter = (
            LanguageAdapter(languages, shape.width, shape.adapter, config.gate, ranks, config.adapter_activation)
            if shape.adapter
            else None
        )

    def forward(
        self,
        x: Tensor,
        layout: Layout,
        rotation: tuple[Tensor, Tensor],
        languages: Tensor,
        groups: Groups | None,
        dropout: Tensor | None,
    ) -> Tensor:
        """x and result: [B, L, D]; languages and dropout: of each row, [B], or of each token, [B, L]."""
        x = x + drop(self.attend(self.attention_norm(x, languages), layout, rotation), dropout)
        hidden = functional.relu(self.feedforward_in(self.feedforward_norm(x, languages))).square()
        x = x + drop(self.feedforward_out(hidden), dropout)
        return x if self.adapter is None else self.adapter(x, languages, groups)

    def attend(self, x: Tensor, layout: Layout, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """Self-attention of each token to those that the layout lets it see."""
        rows, length, width = x.shape
        query, key, value = self.qkv(x).view(rows, length, 3, self.heads, -1).unbind(2)
        query, key = rotate(self.query_norm(query), rotation), rotate(self.key_norm(key), rotation)
        merged: Tensor = self.attention_out(layout.attend(query, key, value).reshape(rows, length, width))
        return merged


class Transformer(LanguageModel):
    """The language model.

    Args:
        config: sizes.
        vocabulary: number of token ids, the mask's among them.
        languages: number of languages that have adapters.
        train_tokens: training tokens of each language, for ``adapter_power``; None gives all adapters the same size.
    """

    def __init__(
        self, config: ModelConfig, vocabulary: int, languages: int, train_tokens: Sequence[int] | None = None
    ) -> None:
        super().__init__()
        shape = config.shape()
        ranks = None
        if config.adapter_power:
            ranks = capacities(train_tokens or [1] * languages, shape.adapter, config.adapter_power)
        self.languages = languages
        self.head_width = shape.width // shape.heads
        self.rotary_base = config.rotary_base
        self.embedding = nn.Embedding(vocabulary, shape.width)
        self.embedding_scale = shape.width**0.5 if config.embedding_scaling == "sqrt" else 1.0
        self.embedding_norm = RMSNorm(shape.width) if config.embedding_scaling == "norm" else None
        self.blocks = nn.ModuleList(Block(config, languages, ranks) for _ in range(shape.layers))
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

    def depth(self, name: str) -> int:
        """Blocks above a parameter, by its name; the embeddings count as below the lowest block."""
        head, _, rest = name.partition(".")
        if head == "blocks":
            return len(self.blocks) - 1 - int(rest.partition(".")[0])
        return len(self.blocks) if head.startswith("embedding") else 0

    def decays(self, name: str) -> bool:
        """Whether a parameter has weight decay; the norms' gains of each language are a matrix, and have none."""
        return super().decays(name) and not isinstance(self.get_submodule(name.rpartition(".")[0]), RMSNorm)

    def forward(self, inputs: Inputs, noise: Noise = SILENT, keep: Collection[int] = ()) -> Outputs:
        """Hidden vectors of all tokens and the scores of the selected ones.

        Args:
            inputs: B rows of L tokens.
            noise: what is left out; nothing unless training.
            keep: numbers of the blocks, from 0, whose residual stream is to be among the outputs.
        """
        inner: dict[int, Tensor] = {}
        layout = inputs.layout or dense(inputs.segments, inputs.bidirectional)
        x = self.embed(inputs.tokens)
        rotation = rotations(inputs.positions, self.head_width, self.rotary_base)
        languages = inputs.languages
        groups = next((adapter.groups(languages, x.shape[1]) for adapter in self.adapters()), None)
        for number, block in enumerate(self.blocks):
            chosen = kept_rows(len(x), noise.depth[number], torch.device("cpu")) if noise.depth else None
            if chosen is None:
                x = block(x, layout, rotation, languages, groups, noise.dropout)
                if number in keep:
                    inner[number] = x
                continue
            kept = chosen.to(x.device, non_blocking=True)
            part = x.index_select(0, kept)
            cosine, sine = (angle.index_select(0, kept) for angle in rotation)
            rates = None if noise.dropout is None else noise.dropout.index_select(0, kept)
            spoken = languages.index_select(0, kept)
            changed = block(part, layout.rows(chosen), (cosine, sine), spoken, None, rates)
            # What the block adds is scaled up, so that its mean over the draws is what it adds when all rows are kept.
            x = x.index_add(0, kept, (changed - part).to(x.dtype), alpha=len(x) / len(kept))
            if number in keep:
                inner[number] = x
        hidden = self.final_norm(x)
        return Outputs(hidden, self.scores(hidden, self.embedding.weight, inputs), inner)

    def embed(self, tokens: Tensor) -> Tensor:
        """Vectors of tokens, [B, L, D]."""
        x: Tensor = self.embedding(tokens) * self.embedding_scale
        return x if self.embedding_norm is None else self.embedding_norm(x)


class RMSNorm(nn.Module):
    """x / rms(x) * gain over the last axis, in the precision of x.

    Args:
        width: D.
        languages: number of languages with gains of their own, which multiply the shared ones and start at 1; 0 for
            none. The statistics are those of each vector, whatever its language.
    """

    def __init__(self, width: int, languages: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.own = nn.Parameter(torch.zeros(languages, width)) if languages else None

    def forward(self, x: Tensor, languages: Tensor | None = None) -> Tensor:
        """Normalise.

        Args:
            x: any shape that ends in the width; [B, L, D] where languages have gains of their own.
            languages: language of each row, [B], or of each token, [B, L]; -1 takes the shared gains.
        """
        normed = functional.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), 1e-6)
        if self.own is None or languages is None:
            return normed
        known = (languages >= 0).to(x.dtype)[..., None]
        index = languages.clamp(min=0)
        own = self.own.index_select(0, index) if index.ndim == 1 else functional.embedding(index, self.own)
        gains = 1 + own.to(x.dtype) * known
        return normed * (gains[:, None] if gains.ndim == 2 else gains)


def rotations(positions: Tensor, head_width: int, base: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary angles, each [B, L, 1, head_width / 2]."""
    pairs = torch.arange(0, head_width, 2, device=positions.device, dtype=torch.float32)
    angles = positions[:, :, None, None].float() * base ** (-pairs / head_width)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turn each pair (i, i + half) of the last axis by its angle; x is [B, L, H, head_width]."""
    cosine, sine = rotation
    first, second = x.chunk(2, dim=-1)
    turned = torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)
    return turned.to(x.dtype)


def parameter_count(model: nn.Module) -> int:
    """Number of trained values."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
