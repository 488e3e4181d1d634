"""Checkpoints: folders that appear whole or not at all.

``checkpoints/<step>/`` holds ``model.safetensors``, ``optimizer.safetensors``, ``methods.safetensors`` (what losses
and regularisers remember from step to step) and ``state.json``; the last names the hashes of the others, so that a
damaged file is found before it is used. Nothing in a checkpoint is code or is run when it is read.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from corpus.errors import InputError
from corpus.hashing import file_hash
from corpus.storage import write_errors

_LOGGER = logging.getLogger(__name__)

MODEL = "model.safetensors"
OPTIMISER = "optimizer.safetensors"
METHODS = "methods.safetensors"
STATE = "state.json"


class Checkpoint(NamedTuple):
    """A checkpoint read into memory."""

    path: Path
    model: dict[str, Tensor]
    optimiser: dict[str, Tensor]
    methods: dict[str, Tensor]
    state: dict[str, Any]


def save(
    run: Path,
    step: int,
    model: Mapping[str, Tensor],
    optimiser: Mapping[str, Tensor],
    methods: Mapping[str, Tensor],
    state: Mapping[str, Any],
) -> Path:
    """Write a checkpoint beside its place and move it there in one step.

    Args:
        run: the run's folder.
        step: steps done.
        model: the model's tensors.
        optimiser: the optimiser's tensors.
        methods: what losses and regularisers remember.
        state: everything else, JSON-serialisable.

    Raises:
        EvenglotError: no space, no permission.
    """
    final = folder(run) / f"{step:08d}"
    partial = folder(run) / f".{step:08d}.{os.getpid()}.part"
    with write_errors(str(final)):
        partial.mkdir(parents=True, exist_ok=True)
        try:
            files = {MODEL: model, OPTIMISER: optimiser, METHODS: methods}
            for name, tensors in files.items():
                save_file({key: value.detach().cpu().contiguous() for key, value in tensors.items()}, partial / name)
            hashes = {name: file_hash(partial / name) for name in files}
            text = json.dumps({**state, "step": step, "hashes": hashes}, indent=1, sort_keys=True)
            (partial / STATE).write_text(text + "\n", encoding="utf-8")
            for path in (*partial.iterdir(), partial):
                _to_disk(path)
            if final.exists():
                shutil.rmtree(final)
            partial.replace(final)
            _to_disk(final.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return final


def prune(run: Path, keep: int) -> None:
    """Remove all but the newest checkpoints, and what dead writers left behind."""
    for path in steps(run)[:-keep]:
        shutil.rmtree(path)
    for path in folder(run).glob(".*.part"):
        shutil.rmtree(path, ignore_errors=True)


def folder(run: Path) -> Path:
    """Where the checkpoints of a run lie."""
    return run / "checkpoints"


def steps(run: Path) -> list[Path]:
    """The checkpoints of a run, the oldest first."""
    if not folder(run).is_dir():
        return []
    return sorted(path for path in folder(run).iterdir() if path.name.isdigit())


def newest(run: Path) -> Checkpoint | None:
    """The newest whole checkpoint of a run, or None when it has none; damaged ones are passed over with a warning.

    Raises:
        InputError: there are checkpoints, but all are damaged.
    """
    damaged: InputError | None = None
    for path in reversed(steps(run)):
        try:
            saved = read(path)
        except InputError as error:
            _LOGGER.warning("%s", error.message)
            damaged = error
            continue
        if damaged is not None:
            _LOGGER.warning("going back to checkpoint %s", path)
        return saved
    if damaged is not None:
        raise InputError(
            f"no checkpoint of {run} is whole: {damaged.message}",
            "Restore one from a copy, or begin anew (`evenglot train --fresh`)",
        ) from damaged
    return None


def read(path: Path) -> Checkpoint:
    """A checkpoint, its files checked against their hashes.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        state = json.loads((path / STATE).read_text(encoding="utf-8"))
        for name, expected in state["hashes"].items():
            if file_hash(path / name) != expected:
                raise InputError(f"checkpoint {path} is damaged: {name} has changed", "Use another checkpoint")
        methods = load_file(path / METHODS) if METHODS in state["hashes"] else {}
        return Checkpoint(path, load_file(path / MODEL), load_file(path / OPTIMISER), methods, state)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise InputError(f"checkpoint {path} cannot be read: {error}", "Use another checkpoint") from error


def _to_disk(path: Path) -> None:
    """Have the system write a file's or a folder's content now, so that a crash cannot undo the rename's promise."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
