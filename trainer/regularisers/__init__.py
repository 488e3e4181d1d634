"""Registry of the penalties that may be added to the loss.

A regulariser is a pure function ``(model, batch, outputs, evidence, options) -> Penalty``: it computes a value
and some metrics and changes nothing. Its strength and schedule belong to the loop. Each has its own module
here, its entry in the registry and a method card in ``docs/methods``. Importing this package loads no torch.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field, ValidationError

from corpus.config import Config
from corpus.errors import ConfigurationError

if TYPE_CHECKING:
    from trainer.regularisers.base import Regulariser


class DeviationOptions(Config):
    """Options of ``deviation``."""

    power: float = Field(default=1.0, ge=0, le=2)
    """The penalty of a language is divided by its training tokens to this power; 1 is the Gaussian prior."""


class Entry(NamedTuple):
    """What the registry knows of one regulariser."""

    options: type[Config]
    load: Callable[[], Regulariser]
    """Imports and returns the function, so that reading a recipe needs no torch."""


def _built_in(module: str) -> Callable[[], Regulariser]:
    def load() -> Regulariser:
        function: Regulariser = import_module(module).penalty
        return function

    return load


_REGISTRY: dict[str, Entry] = {"deviation": Entry(DeviationOptions, _built_in("trainer.regularisers.deviation"))}


def register(name: str, options: type[Config], load: Callable[[], Regulariser]) -> None:
    """Add a regulariser, so that recipes can name it.

    Raises:
        ConfigurationError: the name is taken.
    """
    if name in _REGISTRY:
        raise ConfigurationError(f"a regulariser named '{name}' exists already", "Choose another name")
    _REGISTRY[name] = Entry(options, load)


def names() -> list[str]:
    """Names of all registered regularisers, sorted."""
    return sorted(_REGISTRY)


def check(name: str, options: Mapping[str, Any]) -> Config:
    """The validated options of a named regulariser.

    Raises:
        ConfigurationError: there is no such regulariser, or an option is unknown or wrong.
    """
    if name not in _REGISTRY:
        near = difflib.get_close_matches(name, _REGISTRY, n=1)
        fix = f"Did you mean '{near[0]}'?" if near else f"Choose one of: {', '.join(names())}"
        raise ConfigurationError(f"there is no regulariser '{name}'", fix)
    try:
        return _REGISTRY[name].options.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        known = ", ".join(_REGISTRY[name].options.model_fields) or "none"
        raise ConfigurationError(
            f"option '{where}' of regulariser '{name}': {first['msg']}", f"Its options are: {known}"
        ) from error


def load(name: str) -> Regulariser:
    """The function of a registered regulariser."""
    return _REGISTRY[name].load()
