"""Files of reference weights, and of how much the old languages care for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from corpus.errors import InputError
from corpus.hashing import file_hash

_KINDS = ("weights", "rows", "fisher")


class Anchor(NamedTuple):
    """Reference weights by the name of their parameter."""

    weights: dict[str, Tensor]
    rows: dict[str, Tensor]
    """Which rows of the parameter they are, int64; parameters that are not here are whole."""
    fisher: dict[str, Tensor]
    """Diagonal of the Fisher information, of the shape of the weights; empty where it was not estimated."""


def write_anchor(path: Path, anchor: Anchor) -> str:
    """Write an anchor as safetensors, whole or not at all; returns the file's hash."""
    tensors: dict[str, Tensor] = {}
    parts: tuple[Mapping[str, Tensor], ...] = anchor
    for kind, part in zip(_KINDS, parts, strict=True):
        tensors |= {f"{kind}/{name}": value.detach().cpu().contiguous() for name, value in part.items()}
    partial = path.with_name(path.name + ".part")
    save_file(tensors, partial)
    partial.replace(path)
    return file_hash(path)


def read_anchor(path: str, digest: str | None, device: torch.device) -> Anchor:
    """Read what :func:`write_anchor` wrote.

    Args:
        path: the file.
        digest: hash that it must have; None takes it as it is.
        device: of the tensors.

    Raises:
        InputError: it is missing, damaged, or has another hash.
    """
    try:
        if digest is not None and file_hash(path) != digest:
            raise InputError(
                f"reference weights {path} have changed since the run began", "Restore the file, or begin anew"
            )
        tensors = load_file(path, device=str(device))
    except (OSError, SafetensorError) as error:
        raise InputError(f"reference weights {path} cannot be read: {error}", "Correct the path") from error
    found: dict[str, dict[str, Tensor]] = {kind: {} for kind in _KINDS}
    for key, value in tensors.items():
        kind, _, name = key.partition("/")
        if kind not in found:
            raise InputError(f"{path} holds no reference weights: it has a tensor {key}", "Name another file")
        found[kind][name] = value
    return Anchor(found["weights"], found["rows"], found["fisher"])
