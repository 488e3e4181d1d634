"""Results of ``evenglot models`` as objects for machines and as text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table

from corpus.tags import english_name
from pipeline.translation.model_folders import Installed
from pipeline.translation.readme import is_non_commercial
from pipeline.translation.routes import Routes, generator_of, languages_of
from pipeline.translation.verify import Verified

_PAIRS_SHOWN: Final = 3


def list_result(root: Path, models: Sequence[Installed], lid: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What ``models list`` gives."""
    return {
        "folder": str(root),
        "models": [installed_result(model) for model in models],
        "language_identification": list(lid),
    }


def installed_result(model: Installed) -> dict[str, Any]:
    """One model folder."""
    place = {"folder": str(model.folder), "kind": model.kind, "size": model.size}
    if model.card is None:
        return {"name": model.folder.name, **place, "problem": model.problem}
    card = model.card.model_dump(mode="json")
    card.pop("kind", None)
    return {**place, **card, "non_commercial": is_non_commercial(model.card.licence)}


def list_text(result: Mapping[str, Any]) -> RenderableType:
    """Tables for people."""
    parts: list[RenderableType] = []
    if result["models"]:
        table = Table(box=None, pad_edge=False)
        for heading in ("model", "family", "translates", "size", "weights", "licence", "revision"):
            table.add_column(heading, justify="right" if heading == "size" else "left", overflow="fold")
        for model in result["models"]:
            if "problem" in model:
                table.add_row(model["name"], "?", model["problem"], _size(model["size"]), "", "", "")
                continue
            family = model.get("family") or f"encoder, {model['architecture']}"
            licence = model["licence"] + (" (no commercial use)" if model["non_commercial"] else "")
            revision = model["revision"][:12]
            size, weights = _size(model["size"]), model["quantisation"]
            table.add_row(model["name"], family, _serves(model), size, weights, licence, revision)
        parts.append(table)
        parts.append(f"in {result['folder']}")
    else:
        parts.append(f"no models in {result['folder']}; `evenglot models fetch` brings some")
    table = Table(box=None, pad_edge=False, title="language identification", title_justify="left")
    for heading in ("model", "languages", "size", "licence"):
        table.add_column(heading)
    for model in result["language_identification"]:
        languages = str(model["languages"]) if model["languages"] else "see its hub"
        size = _size(model["size"]) if model["size"] else "not here"
        table.add_row(model["name"], languages, size, model["licence"])
    return Group(*parts, "", table)


def installed_text(result: Mapping[str, Any]) -> str:
    """A model that was just made."""
    lines = [
        f"{result['name']} ({result.get('family') or 'encoder'}): {_serves(result)}",
        f"{_size(result['size'])}, {result['quantisation']}, licence {result['licence']}",
        f"revision {result['revision']} of {result['source']}",
    ]
    if unmapped := result.get("unmapped"):
        lines.append(f"left out, no single language known here: {', '.join(unmapped)}")
    return "\n".join([*lines, str(result["folder"])])


def verify_result(root: Path, checked: Sequence[Verified]) -> dict[str, Any]:
    """What ``models verify`` gives."""
    return {
        "folder": str(root),
        "models": [
            {
                "folder": str(one.folder),
                "files": one.files,
                "problems": list(one.problems),
                "tried": None
                if one.tried is None
                else {
                    "source": one.tried.source,
                    "target": one.tried.target,
                    "text": one.tried.text,
                    "score": one.tried.score,
                },
            }
            for one in checked
        ],
    }


def verify_text(result: Mapping[str, Any]) -> str:
    """A line for each model, and what it made of the sentence."""
    lines = []
    for model in result["models"]:
        lines.append(f"{Path(model['folder']).name}: {model['files']} files, {len(model['problems'])} problems")
        lines += [f"  {problem}" for problem in model["problems"]]
        if (tried := model["tried"]) is not None and tried["source"]:
            lines.append(f"  {tried['source']} to {tried['target']}, score {tried['score']:.2f}: {tried['text']}")
    return "\n".join(lines) if lines else f"no models in {result['folder']}"


def route_result(source: str, target: str, routes: Routes) -> dict[str, Any]:
    """What ``models pairs`` gives.

    Raises:
        NoRoute: no models lead there; says what is missing.
    """
    route = routes.find(source, target)
    return {
        "source": source,
        "target": target,
        "generator": generator_of(route),
        "pivots": list(languages_of(route)[1:-1]),
        "steps": [{"model": step.model, "source": step.source, "target": step.target} for step in route],
    }


def route_text(result: Mapping[str, Any]) -> str:
    """A line for each step."""
    through = " and ".join(english_name(tag) for tag in result["pivots"])
    head = f"{english_name(result['source'])} to {english_name(result['target'])}" + (
        f" through {through}" if through else ", directly"
    )
    steps = [f"  {step['source']} to {step['target']}: {step['model']}" for step in result["steps"]]
    return "\n".join([head, *steps])


def _serves(model: Mapping[str, Any]) -> str:
    if "architecture" in model:
        return f"vectors of {model['dimension']} numbers, {model['pooling']}"
    if model["languages"]:
        return f"{len(model['languages'])} languages, all directions"
    shown = [f"{source} to {target}" for source, target in model["pairs"][:_PAIRS_SHOWN]]
    more = len(model["pairs"]) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
