"""What training, evaluation and regularisers know of a model, whoever wrote it.

The project's own :class:`trainer.model.transformer.Transformer` is one; a model of another library with language
adapters added to it is another. What is not named here is a model's own affair.

Shape letters: B rows, L tokens of a row, D width, V vocabulary, N predicted tokens.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.model.adapters import LanguageAdapter
from trainer.model.attention import Layout
from trainer.model.noise import SILENT, Noise
from trainer.model.token_rows import scores


class Inputs(NamedTuple):
    """A batch on the model's device."""

    tokens: Tensor
    """Token ids, int64 [B, L]; hidden ones are replaced by the mask's id."""
    segments: Tensor
    """Document of each token, int32 [B, L]; equal within a document, padding is negative."""
    positions: Tensor
    """Position of each token in its document, int32 [B, L]."""
    languages: Tensor
    """Language index of each row, int64 [B], or of each token, [B, L], where rows hold several languages; -1 for a
    language without an adapter."""
    bidirectional: Tensor
    """Whether the row is read from both sides, bool [B]."""
    select: Tensor
    """Flat indices, row * L + position, at which a token is predicted, int64 [N]."""
    layout: Layout | None = None
    """Who sees whom, as the host has worked it out from segments and directions; None leaves it to the model. Whoever
    exchanges rows, segments or directions exchanges this too."""


class Outputs(NamedTuple):
    """What the model computed."""

    hidden: Tensor
    """Normalised vectors of the last block, [B, L, D]."""
    logits: Tensor
    """Scores of the selected positions, [N, V]."""
    inner: Mapping[int, Tensor] = MappingProxyType({})
    """The residual stream after each block that was asked for, [B, L, D], by the block's number from 0."""


def token_languages(inputs: Inputs) -> Tensor:
    """Language index of each token, int64 [B, L], for rows of one language and of several."""
    if inputs.languages.ndim == 2:
        return inputs.languages
    return inputs.languages[:, None].expand_as(inputs.tokens)


class LanguageModel(nn.Module, ABC):
    """A core that all languages share, in blocks, with adapters of each language's own.

    A class to derive from and not only a protocol: what takes any torch module takes this too.
    """

    embedding: nn.Embedding
    """Input embeddings of the tokens; a row of its ``weight`` for each."""
    blocks: nn.ModuleList
    """The layers, the lowest first."""
    languages: int
    """Number of languages that have adapters."""
    described: Mapping[str, Any] | None = None
    """What a checkpoint has to hold of a foreign base, to build the model without it, as JSON values; None for the
    project's own."""
    _token_rows: Tensor | None = None

    def limit_tokens(self, rows: Sequence[int]) -> None:
        """Let each language's predictions run over the first so many token rows only.

        It is not part of the model's tensors: whoever builds the model says it again.

        Args:
            rows: for each language; where all have the whole vocabulary nothing changes.
        """
        whole = len(self.embedding.weight)
        self._token_rows = torch.tensor([*rows, whole]) if any(count < whole for count in rows) else None

    def scores(self, hidden: Tensor, weight: Tensor, inputs: Inputs) -> Tensor:
        """Scores of the selected positions, [N, V], within each language's part of the vocabulary.

        Args:
            hidden: vectors of all tokens, [B, L, D].
            weight: of the output, [V, D].
            inputs: of the pass; what has no language has the whole vocabulary.
        """
        chosen = hidden.flatten(0, 1).index_select(0, inputs.select)
        if self._token_rows is None:
            return functional.linear(chosen, weight)
        languages = token_languages(inputs).flatten().index_select(0, inputs.select)
        # Index -1, for no language, is the last entry: the whole vocabulary.
        return scores(chosen, weight, self._token_rows.to(languages.device)[languages])

    @abstractmethod
    def forward(self, inputs: Inputs, noise: Noise = SILENT, keep: Collection[int] = ()) -> Outputs:
        """Hidden vectors of all tokens and the scores of the selected ones.

        Args:
            inputs: B rows of L tokens.
            noise: what is left out; nothing unless training.
            keep: numbers of the blocks, from 0, whose residual stream is to be among the outputs.
        """

    @abstractmethod
    def depth(self, name: str) -> int:
        """Blocks above a parameter, by its name; embeddings count as below the lowest block, heads as above all."""

    def decays(self, name: str) -> bool:
        """Whether a parameter has weight decay: the core's weight matrices do.

        Norm gains and embeddings are not matrices that mix features; language adapters are drawn to their start by
        the deviation penalty, which knows how much text a language has, and not by a decay that does not.
        """
        owner = self.get_submodule(name.rpartition(".")[0])
        parameter = self.get_parameter(name)
        return parameter.ndim >= 2 and not isinstance(owner, LanguageAdapter | nn.Embedding | nn.LayerNorm | nn.RMSNorm)

    def adapters(self) -> list[LanguageAdapter]:
        """The language adapters of all blocks, the lowest first; empty when the model has none."""
        return [module for module in self.modules() if isinstance(module, LanguageAdapter)]
