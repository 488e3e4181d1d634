"""The JSON card beside a model file: what it was trained on, under which licence, and how well it does."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from corpus.hashing import file_hash
from corpus.tags import script_of
from pipeline.language_id.evaluate import Scores
from pipeline.language_id.examples import Balance
from pipeline.language_id.fit import Settings
from pipeline.language_id.relatives import read as read_relatives
from pipeline.language_id.sources import LICENCES, Unit

VERSION: Final = "2"


def training_card(
    path: Path,
    tags: Sequence[str],
    units: Sequence[Unit],
    examples: int,
    settings: Settings,
    balance: Balance,
    seed: int,
    *,
    name: str,
    licence: str,
    licences: Mapping[str, str],
    relatives: Path | None = None,
) -> dict[str, Any]:
    """The facts of a model trained here, without its scores.

    Args:
        path: of the model file.
        tags: its labels.
        units: the text it was trained on.
        examples: how many lines that gave.
        settings: of fastText.
        balance: amounts of text per language.
        seed: of spans and order.
        name: of the model.
        licence: of the model file.
        licences: of each source.
        relatives: file of the tables that tell close relatives apart, where there is one.
    """
    characters: Counter[str] = Counter()
    sources: defaultdict[str, set[str]] = defaultdict(set)
    for unit in units:
        characters[unit.tag] += len(unit.text)
        sources[unit.tag].add(unit.source)
    beside = (
        {
            "relatives": {
                "file": relatives.name,
                "bytes": relatives.stat().st_size,
                "xxh3_128": file_hash(relatives),
                "groups": [list(group.tags) for group in read_relatives(relatives)],
            }
        }
        if relatives is not None
        else {}
    )
    return {
        "name": name,
        "version": VERSION,
        "licence": licence,
        # Read when the model is loaded: text must be cleaned for prediction as it was for training.
        "cleaned": True,
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "xxh3_128": file_hash(path),
        **beside,
        "labels": list(tags),
        "scripts": sorted({script for tag in tags if (script := script_of(tag))}),
        "training": {
            "settings": dataclasses.asdict(settings),
            "balance": dataclasses.asdict(balance),
            "seed": seed,
            "examples": examples,
            "sources": {
                source: {"licence": licences[source], "texts": count}
                for source, count in sorted(Counter(unit.source for unit in units).items())
            },
            "noise": LICENCES["noise"],
            "languages": {
                tag: {"characters": characters[tag], "sources": sorted(sources[tag])} for tag in sorted(characters)
            },
        },
    }


def numbers(scores: Scores) -> dict[str, float | int]:
    """Overall scores, rounded for a card."""
    return {
        "count": scores.count,
        "languages": len(scores.languages),
        "accuracy": round(scores.accuracy, 4),
        "macro_f1": round(scores.macro_f1, 4),
        "macro_recall": round(scores.macro_recall, 4),
    }
