"""What two or more runs did differently, by their resolved recipes: an effect is only as clear as its cause."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from evenglot.report.blocks import Cell, Column, Group, Table
from evenglot.report.facts import TrainingRun

_PLACES = frozenset({"run", "corpus", "extends"})
"""Settings that say where things lie, not what is done."""


def differences(runs: Sequence[TrainingRun]) -> dict[str, list[str]]:
    """Settings that are not the same in all runs: dotted name -> value in each, as JSON; empty without recipes."""
    recipes = [_settings(run.recipe) for run in runs]
    if len(recipes) < 2 or not all(recipes):
        return {}
    names = sorted({name for recipe in recipes for name in recipe})
    found = {name: [recipe.get(name, "not set") for recipe in recipes] for name in names}
    return {name: values for name, values in found.items() if len(set(values)) > 1}


def differences_table(runs: Sequence[TrainingRun]) -> Table | None:
    """The differences as a table, or None when there are none to show."""
    found = differences(runs)
    if not found:
        return None
    rows: list[list[Cell]] = [[name, *values] for name, values in found.items()]
    return Table(
        [Column("Setting", "name"), *(Column(run.name, "text") for run in runs)],
        [Group("", rows)],
        caption="What the runs did differently, by their recipes. All other settings are the same.",
    )


def _settings(recipe: str) -> dict[str, str]:
    try:
        loaded = yaml.safe_load(recipe)
    except yaml.YAMLError:
        return {}
    if not isinstance(loaded, dict):
        return {}
    return dict(_flat({name: value for name, value in loaded.items() if name not in _PLACES}, ""))


def _flat(value: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, inner in value.items():
        path = f"{prefix}{name}"
        if isinstance(inner, dict) and inner:
            found += _flat(inner, f"{path}.")
        else:
            found.append((path, json.dumps(inner, ensure_ascii=False, sort_keys=True, default=str)))
    return found
