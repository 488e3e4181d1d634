"""Compiling a model's blocks with torch.compile.

Each block is compiled by itself: all have the same code, so it is compiled once for all of them, and what changes from
batch to batch, such as the number of predicted tokens, lies outside. Parameters keep their names, so checkpoints are
the same with and without it. Results are equal up to rounding.
"""

from __future__ import annotations

import importlib.util
import os
import shutil

import torch

from corpus.errors import ConfigurationError
from trainer.model.language_model import LanguageModel
from trainer.model.transformer import Transformer

_COMPILERS = ("g++", "clang++", "c++")


def compile_blocks(model: LanguageModel, device: torch.device, backend: str = "inductor") -> None:
    """Have the blocks compiled when they are first called.

    Args:
        model: the bare model, changed in place.
        device: where it will run.
        backend: torch's name of what compiles.

    Raises:
        ConfigurationError: the model is not the project's own, or there is nothing to compile with.
    """
    if not isinstance(model, Transformer):
        raise ConfigurationError(
            "train.compile is true, and the model is another library's, whose layers run with hooks",
            "Set train.compile to false, or train the project's own model",
        )
    _confirm_compiler(device)
    for block in model.blocks:
        block.compile(backend=backend)


def _confirm_compiler(device: torch.device) -> None:
    if device.type == "cuda":
        if importlib.util.find_spec("triton") is None:
            raise ConfigurationError(
                "train.compile is true, and torch compiles for GPUs with triton, which is not installed",
                "Install triton, or set train.compile to false",
            )
        return
    wanted = (os.environ["CXX"],) if os.environ.get("CXX") else _COMPILERS
    if not any(shutil.which(name) for name in wanted):
        raise ConfigurationError(
            f"train.compile is true, and there is no C++ compiler (looked for {', '.join(wanted)})",
            "Install one, name it in the environment variable CXX, or set train.compile to false",
        )
