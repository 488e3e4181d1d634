"""Are the tokens of a corpus those of the base that is to be trained on them?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from corpus.errors import ConfigurationError
from corpus.hashing import fingerprint
from trainer.config import ModelConfig
from trainer.foreign.loading import base_file


def check_vocabulary(config: ModelConfig, tokenizer: Mapping[str, Any], name: str) -> None:
    """Compare the vocabularies of corpus and base, where the base has a ``tokenizer.json``.

    Args:
        config: the recipe's ``train.model`` section; one without a base fits every corpus.
        tokenizer: its description in the corpus.
        name: of the tokenizer.

    Raises:
        ConfigurationError: they differ.
    """
    if config.base is None:
        return
    path = base_file(config.base, config.revision, "tokenizer.json")
    if path is None:
        return
    own = fingerprint(json.loads(path.read_text(encoding="utf-8"))["model"].get("vocab"))
    if tokenizer.get("vocabulary_hash") != own:
        kind = tokenizer.get("kind", "another kind")
        raise ConfigurationError(
            f"tokenizer '{name}' of the corpus ({kind}, {tokenizer.get('vocabulary')} ids) has another vocabulary than "
            f"train.model.base {config.base}",
            f"Tokenise the corpus with the base's own: `evenglot tokenize --source {config.base} --name NAME`, then "
            "train with `--set tokenizer.name=NAME`",
        )
