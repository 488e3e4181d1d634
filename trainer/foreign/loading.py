"""Bases by folder or hub id: their weights, or their configuration alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import torch

from corpus.errors import ConfigurationError, EvenglotError, InputError

Kind = Literal["masked", "causal"]
_CLASSES: Mapping[Kind, str] = {"masked": "AutoModelForMaskedLM", "causal": "AutoModelForCausalLM"}
_HEADS: Mapping[str, Kind] = {"ForMaskedLM": "masked", "ForCausalLM": "causal", "LMHeadModel": "causal"}


def library() -> ModuleType:
    """The ``transformers`` package.

    Raises:
        EvenglotError: it is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise EvenglotError(
            "models of Hugging Face need the package `transformers`, which is not installed",
            "Install it: pip install 'evenglot[transformers]'",
        ) from error
    return transformers


def kind_of(objective: str, base: str) -> Kind:
    """The head that an objective needs.

    Raises:
        ConfigurationError: no base can do it.
    """
    if objective == "mixed":
        raise ConfigurationError(
            f"train.objective.kind is 'mixed', but the base {base} was trained to read either from the left or from "
            "both sides",
            "Set it to 'masked' for an encoder (XLM-R, BERT), 'causal' for a decoder (Llama, Qwen, GPT-2)",
        )
    return "masked" if objective == "masked" else "causal"


def from_hub(base: str, revision: str | None, kind: Kind) -> tuple[torch.nn.Module, dict[str, Any]]:
    """A base with its trained weights, in float32, and its configuration as JSON values.

    Args:
        base: local folder or hub id.
        revision: branch, tag or commit on the hub; None takes its default.
        kind: the head that is wanted.

    Raises:
        InputError: there is no such model, or it cannot be read.
        ConfigurationError: it has no such head.
    """
    transformers = library()
    _exists(base)
    with _read(base), quiet(transformers):
        config = transformers.AutoConfig.from_pretrained(base, revision=revision, trust_remote_code=False)
    described = _described(config)
    _check_head(base, config, kind)
    with _read(base), quiet(transformers):
        model = _attending(
            lambda attention: getattr(transformers, _CLASSES[kind]).from_pretrained(
                base,
                revision=revision,
                config=config,
                dtype=torch.float32,
                attn_implementation=attention,
                trust_remote_code=False,
            )
        )
    return model, described


def from_description(described: Mapping[str, Any], kind: Kind) -> torch.nn.Module:
    """A base of a configuration that :func:`from_hub` gave, with random weights; needs no hub."""
    transformers = library()
    settings = {name: value for name, value in described.items() if name not in ("model_type", "transformers_version")}
    config = transformers.AutoConfig.for_model(described["model_type"], **settings)
    return _attending(
        lambda attention: getattr(transformers, _CLASSES[kind]).from_config(
            config, dtype=torch.float32, attn_implementation=attention, trust_remote_code=False
        )
    )


def base_file(base: str, revision: str | None, name: str) -> Path | None:
    """A file of a base, fetched if it lies on the hub; None when there is none of that name."""
    if Path(base).is_dir():
        return Path(base) / name if (Path(base) / name).is_file() else None
    library()
    from transformers.utils.hub import cached_file

    try:
        found = cached_file(
            base,
            name,
            revision=revision,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
    except (OSError, ValueError):
        return None
    return None if found is None else Path(found)


def _described(config: Any) -> dict[str, Any]:
    """A configuration as JSON values that say only what differs from the architecture's defaults."""
    described: dict[str, Any] = dict(config.to_diff_dict())
    described["model_type"] = config.model_type
    described.pop("dtype", None)
    described.pop("_name_or_path", None)
    return described


def _exists(base: str) -> None:
    """Refuse a path that is not there before the hub is asked for it.

    Raises:
        InputError: it looks like a path, and there is no folder of that name.
    """
    looks_like_path = base.startswith((".", "/", "~")) or base.count("/") > 1
    if looks_like_path and not Path(base).is_dir():
        raise InputError(f"train.model.base: there is no folder {base}", "Correct the path, or give a hub id")


def _check_head(base: str, config: Any, kind: Kind) -> None:
    named = [found for name in config.architectures or () for end, found in _HEADS.items() if name.endswith(end)]
    if named and kind not in named:
        raise ConfigurationError(
            f"train.objective.kind is '{kind}', but the base {base} is a {named[0]} model ({config.architectures[0]})",
            f"Set train.objective.kind to '{named[0]}', or choose another base",
        )


def _attending(load: Any) -> torch.nn.Module:
    """Load with the attention of torch where the architecture has it, else with its own."""
    try:
        model: torch.nn.Module = load("sdpa")
    except ValueError as error:
        if "scaled_dot_product_attention" not in str(error) and "sdpa" not in str(error):
            raise
        model = load("eager")
    return model


@contextmanager
def _read(base: str) -> Iterator[None]:
    """Errors of loading as one line."""
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"train.model.base: {base} cannot be loaded: {first}",
            "Give the folder of a model that `save_pretrained` wrote, or a hub id that this machine can reach; models "
            "that need code of their own are not run",
        ) from error


@contextmanager
def quiet(transformers: ModuleType) -> Iterator[None]:
    """Without the library's progress bars and advice."""
    logger = logging.getLogger("transformers")
    before = logger.level
    bars = transformers.utils.logging.is_progress_bar_enabled()
    logger.setLevel(logging.ERROR)
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        logger.setLevel(before)
        if bars:
            transformers.utils.logging.enable_progress_bar()
