"""The model that a recipe describes."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.config import ModelConfig
from trainer.language_model import LanguageModel
from trainer.model import Transformer


def build_model(
    config: ModelConfig, vocabulary: int, languages: int, train_tokens: Sequence[int] | None = None
) -> LanguageModel:
    """A model with its initial weights.

    Args:
        config: the recipe's ``train.model`` section.
        vocabulary: number of token ids, the mask's among them.
        languages: number of languages that have adapters.
        train_tokens: training tokens of each language, for ``adapter_power``; None gives all adapters the same size.
    """
    return Transformer(config, vocabulary, languages, train_tokens)
