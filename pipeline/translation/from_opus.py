"""Run CTranslate2's converter on a release of OPUS-MT in Marian's own format; needs neither torch nor transformers."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

import numpy as np
import yaml

from corpus.errors import EvenglotError, InputError
from pipeline.translation.from_transformers import Loaded, Quantisation

OPUS_POSITIONS: Final = 512
"""Most tokens a sentence may have: what ``transformers`` grants the same models."""


def run_opus_converter(source: Path, output: Path, *, quantisation: Quantisation) -> Loaded:
    """Write ``model.bin``, ``config.json`` and vocabularies of an unpacked release into a new folder.

    Args:
        source: folder with ``decoder.yml`` and what it names: one ``*.npz`` and the vocabularies.
        output: folder to make.
        quantisation: type in which weights are stored.

    Raises:
        InputError: files are missing, lie elsewhere, or are of a model that CTranslate2 does not know.
    """
    model = _named(source)[0]
    try:
        with np.load(source / model, allow_pickle=False) as arrays:
            parameters = sum(int(arrays[name].size) for name in arrays.files if not name.startswith("special:"))
        converters = importlib.import_module("ctranslate2.converters")
        converters.OpusMTConverter(str(source)).convert(str(output), quantization=quantisation)
    except (ImportError, EvenglotError, MemoryError):
        raise
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{source} cannot be converted: {type(error).__name__}: {first}",
            "Use a whole release of OPUS-MT of a transformer with SentencePiece",
        ) from error
    return Loaded(parameters, ())


def _named(source: Path) -> list[str]:
    """Files that ``decoder.yml`` names: the model, then the vocabularies.

    Raises:
        InputError: it names no files, or files that are not in the folder itself.
    """
    path = source / "decoder.yml"
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = [str(name) for name in (*told["models"][:1], *told["vocabs"])]
    except (OSError, ValueError, yaml.YAMLError, TypeError, KeyError) as error:
        raise InputError(f"{path} cannot be read: {error}", "Use a whole release of OPUS-MT") from error
    for name in names:
        if Path(name).name != name or not (source / name).is_file():
            raise InputError(f"{path} names {name}, which is no file in the folder", "Use a whole release of OPUS-MT")
    if len(names) < 2:
        raise InputError(f"{path} names no model with its vocabularies", "Use a whole release of OPUS-MT")
    return names
