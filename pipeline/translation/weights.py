"""Which files of a downloaded model may be read: safetensors, and CTranslate2's own; pickles only when asked for.

A ``.bin`` of torch is a pickle, and reading a pickle may run code. Since 2.6 torch refuses all but tensors and plain
containers when it is told ``weights_only`` (before, that could be got around: CVE-2025-32434). The publisher of a model
is trusted with less than that here, so that even then a pickle is read only where the user says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from corpus.errors import InputError

Form = Literal["safetensors", "pickle", "npz", "ctranslate2"]
_SAFETENSORS: Final = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors\Z")
_PICKLES: Final = re.compile(r"pytorch_model(-\d{5}-of-\d{5})?\.bin\Z")


@dataclass(frozen=True)
class Weights:
    """The files of a folder that hold a model's weights."""

    form: Form
    names: tuple[str, ...]
    """Sorted."""


def weights_among(names: Iterable[str]) -> Weights | None:
    """The weights among the files of a folder, the safest form first; None where there are none.

    Args:
        names: of the files directly in the folder.
    """
    names = sorted(names)
    for form, pattern in (("safetensors", _SAFETENSORS), ("pickle", _PICKLES)):
        found = tuple(name for name in names if pattern.match(name))
        # Where a model is there both whole and in parts, the whole is what is read.
        found = tuple(name for name in found if "-of-" not in name) or found
        if found:
            return Weights("safetensors" if form == "safetensors" else "pickle", found)
    if "decoder.yml" in names and (found := tuple(name for name in names if name.endswith(".npz"))):
        return Weights("npz", found)
    if "model.bin" in names and any("vocabulary" in name for name in names):
        return Weights("ctranslate2", ("model.bin",))
    return None


def weights_of(folder: Path, allow_pickle: bool) -> Weights:
    """The weights of a folder that may be read.

    Raises:
        InputError: there are none, or only a pickle and those were not asked for.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}", "Give a folder with a model, or fetch one by its hub id")
    found = weights_among(path.name for path in folder.iterdir() if path.is_file())
    if found is None:
        raise InputError(
            f"{folder} holds no weights: neither model.safetensors nor a release of OPUS-MT (decoder.yml, *.npz)",
            "Give the folder of a Hugging Face model with safetensors",
        )
    if found.form == "ctranslate2":
        raise InputError(
            f"{folder} was converted for CTranslate2 elsewhere: nothing in it says what it translates",
            "Convert the model that it was made of",
        )
    if found.form == "pickle" and not allow_pickle:
        raise InputError(refusal(f"the weights in {folder}", found), way_out())
    return found


def refusal(what: str, weights: Weights) -> str:
    """Why a model is not read."""
    return f"{what} are a pickle ({weights.names[0]}), which could run code when it is read"


def way_out() -> str:
    """What to do about weights that are a pickle."""
    return (
        "Take a revision of the model that has safetensors (on the hub often --revision refs/pr/N), or, if you trust "
        "its publisher, read tensors and nothing else from it with --allow-pickle"
    )
