"""The model that a recipe describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from corpus.errors import ConfigurationError
from trainer.config import ModelConfig
from trainer.model.language_model import LanguageModel
from trainer.model.transformer import Transformer


def build_model(
    config: ModelConfig,
    vocabulary: int,
    languages: int,
    train_tokens: Sequence[int] | None = None,
    *,
    objective: str = "causal",
    described: Mapping[str, Any] | None = None,
) -> LanguageModel:
    """A model with its initial weights.

    Args:
        config: the recipe's ``train.model`` section.
        vocabulary: number of token ids of the corpus, the mask's among them.
        languages: number of languages that have adapters.
        train_tokens: training tokens of each language, for ``adapter_power``; None gives all adapters the same size.
        objective: what is learnt, which decides the head of a base.
        described: configuration of the base, as a checkpoint holds it (:attr:`LanguageModel.described`): its weights
            are then random, to be replaced by the checkpoint's. None loads the base.

    Raises:
        ConfigurationError: the base cannot be trained so, or has other tokens than the corpus.
        InputError: the base cannot be read.
    """
    if config.base is None:
        return Transformer(config, vocabulary, languages, train_tokens)
    from trainer.foreign.loading import kind_of
    from trainer.foreign.model import foreign_model

    model = foreign_model(config, kind_of(objective, config.base), languages, train_tokens, described)
    if vocabulary > model.embedding.num_embeddings:
        raise ConfigurationError(
            f"the corpus has {vocabulary:,} token ids, but train.model.base {config.base} has embeddings of "
            f"{model.embedding.num_embeddings:,}: it was tokenised with another tokenizer",
            f"Tokenise it with the base's own: `evenglot tokenize --source {config.base} --name NAME`, then train with "
            "`--set tokenizer.name=NAME`",
        )
    return model
