"""Rows to model: the transformer, objectives, regularisers, the training loop and the held-out evaluation.

Importing this package is cheap; torch is loaded by the modules that compute.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainer.export.native import Exported


def load(path: str | Path) -> Exported:
    """A model that ``evenglot export --to safetensors`` wrote, on the CPU, with what is known of it.

    Args:
        path: its folder.

    Raises:
        InputError: there is none, or it is damaged.
    """
    from trainer.export.native import load_exported

    return load_exported(path)
