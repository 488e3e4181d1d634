"""What a model's README says of it: the metadata at its head, and its licence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml

UNKNOWN: Final = "unknown"
_HEAD: Final = re.compile(r"\A\ufeff?---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_NON_COMMERCIAL: Final = re.compile(r"\bnc\b|non[- ]?commercial|research[- ]only", re.IGNORECASE)


def metadata(folder: Path) -> dict[str, Any]:
    """The YAML at the head of a folder's ``README.md`` (the "model card" of hubs); empty where there is none.

    Raises nothing: a README that nobody can parse says nothing.
    """
    path = folder / "README.md"
    if not path.is_file():
        return {}
    found = _HEAD.match(path.read_text(encoding="utf-8", errors="replace"))
    if found is None:
        return {}
    try:
        told = yaml.safe_load(found.group(1))
    except (yaml.YAMLError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def licence_of(folder: Path) -> str:
    """The licence that the README states, by its identifier on the hub (``cc-by-4.0``), or ``unknown``."""
    told = metadata(folder)
    licence = told.get("license")
    if str(licence).lower() in ("other", "none") or licence is None:
        licence = told.get("license_name") or licence
    if isinstance(licence, list):
        licence = " or ".join(str(one) for one in licence)
    return str(licence).strip() if licence else UNKNOWN


def is_non_commercial(licence: str) -> bool:
    """Whether a licence forbids commercial use, as that of NLLB does (``cc-by-nc-4.0``)."""
    return _NON_COMMERCIAL.search(licence) is not None


def licence_warning(name: str, licence: str) -> str | None:
    """What users must know of a model's licence before they train on its output; None where there is nothing."""
    if is_non_commercial(licence):
        return (
            f"{name} is licensed {licence}: no commercial use. Whether that binds text which it translates, and models "
            "trained on that text, is for you to settle before you use them"
        )
    if licence == UNKNOWN:
        return f"the licence of {name} is unknown: look it up at its source, and give it with --licence"
    return None
