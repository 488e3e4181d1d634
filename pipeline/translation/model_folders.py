"""The folder where models are kept: what lies in it, and of which kind."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from corpus.errors import ConfigurationError, EvenglotError, InputError
from pipeline.translation.card import CARD_NAME, ModelCard, read_card
from pipeline.translation.encoder_card import EncoderCard, read_encoder_card

VARIABLE: Final = "EVENGLOT_MODELS"
"""Environment variable with the folder of models."""
DOWNLOADS: Final = ".downloads"
"""Folder in it for what was fetched and not yet converted."""
Kind = Literal["translation", "encoder"]


@dataclass(frozen=True)
class Installed:
    """A model folder."""

    folder: Path
    kind: Kind | None
    """None where the card cannot be read."""
    card: ModelCard | EncoderCard | None
    problem: str | None
    """Why the card cannot be read."""
    size: int
    """Bytes of its files."""


def models_folder(given: str | Path | None = None) -> Path:
    """The folder of models: as given, else that of ``EVENGLOT_MODELS``, else one in the user's cache."""
    chosen = given or os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "evenglot" / "models"


def model_folder(name: str | Path) -> Path:
    """The folder that a recipe means: the one of that path, else the model of that name in the folder of models.

    Where there is neither, the path as it stands: reading its card says what is missing.
    """
    path = Path(name).expanduser()
    if not (path / CARD_NAME).is_file() and len(path.parts) == 1:
        inside = models_folder() / path
        if (inside / CARD_NAME).is_file():
            return inside
    return path


def installed(root: Path) -> list[Installed]:
    """Every model folder directly under a folder, by name; empty where the folder does not exist."""
    if not root.is_dir():
        return []
    return [described(path) for path in sorted(root.iterdir()) if (path / CARD_NAME).is_file()]


def described(folder: Path) -> Installed:
    """A model folder with its card, or why that cannot be read; raises nothing."""
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    try:
        kind = kind_of(folder)
        card = read_encoder_card(folder) if kind == "encoder" else read_card(folder)
    except EvenglotError as error:
        return Installed(folder, None, None, str(error), size)
    return Installed(folder, kind, card, None, size)


def kind_of(folder: Path) -> Kind:
    """What the card of a folder describes; a card that cannot be parsed is that of a translation model.

    Raises:
        InputError: there is no card.
    """
    try:
        told = json.loads((folder / CARD_NAME).read_bytes())
    except OSError as error:
        raise InputError(
            f"{folder} is no model folder: it has no {CARD_NAME}", "Make one with 'evenglot models convert'"
        ) from error
    except ValueError:
        told = None
    return "encoder" if isinstance(told, dict) and told.get("kind") == "encoder" else "translation"


def found(root: Path, name: str) -> Path:
    """The model folder of a name in the folder of models, or of a path.

    Raises:
        InputError: there is none.
    """
    for folder in (root / name, Path(name)):
        if (folder / CARD_NAME).is_file():
            return folder
    there = [model.folder.name for model in installed(root)]
    raise InputError(
        f"there is no model '{name}' in {root}",
        f"It holds {', '.join(there)}" if there else "Fetch one with 'evenglot models fetch', or name its folder",
    )


def is_state_of(folder: Path, source: str, revision: str | None) -> bool:
    """Whether a folder holds the model of a hub id; None is any of its states."""
    if not (folder / CARD_NAME).is_file():
        return False
    card = described(folder).card
    return card is not None and card.source == source and revision in (None, card.revision)


def translators(models: Sequence[Installed]) -> list[ModelCard]:
    """The cards of those that translate."""
    return [model.card for model in models if isinstance(model.card, ModelCard)]


def remove(root: Path, name: str) -> Path:
    """Delete a model folder of the folder of models; nothing outside it and nothing else in it.

    Raises:
        InputError: there is none of that name.
        ConfigurationError: it lies elsewhere.
    """
    folder = found(root, name)
    if folder.is_symlink() or folder.resolve().parent != root.resolve():
        raise ConfigurationError(f"{folder} does not lie in {root}", "Delete it yourself")
    # Out of sight in one step: a folder that is half deleted must not look like a model.
    gone = root / f".removed-{folder.name}"
    shutil.rmtree(gone, ignore_errors=True)
    folder.replace(gone)
    shutil.rmtree(gone)
    return folder
