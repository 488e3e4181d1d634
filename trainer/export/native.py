"""The project's own form: ``model.safetensors`` and ``evenglot.json``, complete without run, corpus, base or hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from corpus.errors import InputError
from corpus.hashing import file_hash
from trainer.build import build_model
from trainer.config import ModelConfig
from trainer.continual.trained import Trained
from trainer.model.language_model import LanguageModel

WEIGHTS: Final = "model.safetensors"
DESCRIPTION: Final = "evenglot.json"
_FORMAT: Final = 1


class Exported(NamedTuple):
    """A model that was read back."""

    model: LanguageModel
    languages: tuple[str, ...]
    """Tags in the order of the model's language indices."""
    description: dict[str, Any]
    """Content of ``evenglot.json``."""


def save_native(trained: Trained, output: Path) -> None:
    """Write a run's model into a folder."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in trained.tensors.items()}
    save_file(tensors, output / WEIGHTS)
    description = {
        "format": _FORMAT,
        "model": trained.config.model.model_dump(mode="json"),
        "objective": trained.config.objective.kind,
        "vocabulary": trained.vocabulary,
        "languages": trained.languages,
        "token_rows": trained.token_rows,
        "row_tokens": trained.row_tokens,
        "tokenizer": trained.tokenizer,
        "base": trained.state.get("base"),
        "hash": file_hash(output / WEIGHTS),
    }
    (output / DESCRIPTION).write_text(json.dumps(description, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def load_exported(path: str | Path) -> Exported:
    """Read a model that :func:`save_native` wrote, on the CPU and ready for use.

    Raises:
        InputError: there is none, or it is damaged.
    """
    folder = Path(path)
    try:
        found = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        if found["format"] != _FORMAT:
            raise InputError(f"{folder} has format {found['format']}, not {_FORMAT}", "Use a newer version of evenglot")
        if file_hash(folder / WEIGHTS) != found["hash"]:
            raise InputError(f"{folder / WEIGHTS} is damaged: its hash has changed", "Export the run again")
        model = build_model(
            ModelConfig.model_validate(found["model"]),
            int(found["vocabulary"]),
            len(found["languages"]),
            objective=found["objective"],
            described=found["base"],
        )
        model.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise InputError(
            f"{folder} holds no exported model that can be read: {error}",
            "Name a folder that `evenglot export --to safetensors` wrote",
        ) from error
    rows = found["token_rows"]
    model.limit_tokens([int(rows.get(lang, found["vocabulary"])) for lang in found["languages"]])
    return Exported(model.eval(), tuple(found["languages"]), found)
