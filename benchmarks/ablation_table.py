"""What the runs of :mod:`benchmarks.ablation` say: paired differences, their uncertainty, and a table.

Two runs are paired when they have the same seed: the same rows in the same order. Pairing takes out what the seed
does to both, which is several times larger than what most arms do.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

BASE: Final = "base"
USUAL: Final = "no adapters"
"""What trainers that know nothing of languages do: one shared transformer, AdamW with a decay of 0.1, no dropout."""

_SAME: Final = ("benchmark", "setting", "repeated", "others", "base")
"""What must be equal in two results for their runs to be compared."""

Runs = list[dict[str, Any]]


class Effect(NamedTuple):
    """Differences of one figure between an arm and another of the same seeds, in bits per byte."""

    each: tuple[float, ...]
    """By seed, ascending."""
    mean: float
    error: float
    """Standard error of the mean; not a number with one seed."""
    spread: float
    """Largest less smallest difference; 0 with one seed."""

    def seen(self, noise: float) -> bool:
        """Whether the mean is larger than its own spread over the seeds and than the noise."""
        return abs(self.mean) > max(self.spread, noise)


def effect(differences: Sequence[float]) -> Effect:
    """Mean, standard error and spread of some differences."""
    error = statistics.stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else math.nan
    return Effect(tuple(differences), statistics.mean(differences), error, max(differences) - min(differences))


def differences(runs: Runs, against: str = BASE) -> dict[str, dict[str, Any]]:
    """Each arm less another, by seed.

    Args:
        runs: of all arms.
        against: the arm that is taken off.

    Returns:
        By arm: ``repeated`` and ``others``, held-out bits per byte; ``gap``, that of the repeated languages; each an
        :class:`Effect`; and ``time``, the median ratio of the CPU seconds. Arms that have no seed in common with the
        other arm, or that were scored on another objective, are left out.
    """
    bases = {one["seed"]: one for one in runs if one["arm"] == against}
    pairs: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for one in sorted(runs, key=lambda run: int(run["seed"])):
        other = bases.get(one["seed"])
        if one["arm"] != against and other is not None and scored(one) == scored(other):
            pairs.setdefault(one["arm"], []).append((one, other))

    def of(arm: str, group: str, figure: str) -> Effect:
        return effect([round(one[group][figure] - other[group][figure], 5) for one, other in pairs[arm]])

    return {
        arm: {
            "repeated": of(arm, "repeated", "heldout_bits_per_byte"),
            "others": of(arm, "others", "heldout_bits_per_byte"),
            "gap": of(arm, "repeated", "gap_bits_per_byte"),
            "time": statistics.median(one["cpu_seconds"] / other["cpu_seconds"] for one, other in both),
        }
        for arm, both in pairs.items()
    }


def scored(one: dict[str, Any]) -> str:
    """What a run's figures are: causal, or masked ones."""
    return str(one.get("objective", "causal"))


def noise(found: dict[str, dict[str, Any]], figure: str) -> float:
    """Spread of a difference that is to be expected from nothing: the median over the arms of their spreads.

    Two seeds may agree by chance, so that an arm's own spread says little; the arms together say more.
    """
    return statistics.median(arm[figure].spread for arm in found.values()) if found else 0.0


def merge(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several results as one, without runs that are in it twice.

    Raises:
        ValueError: they were measured on other machines or versions, in other settings, or contradict each other.
    """
    merged = {key: results[0][key] for key in (*_SAME, "machine")} | {"arms": dict(results[0]["arms"]), "runs": []}
    known: dict[tuple[str, int], dict[str, Any]] = {}
    for number, result in enumerate(results, start=1):
        for key in _SAME:
            if result[key] != merged[key]:
                raise ValueError(f"file {number} differs from file 1 in '{key}'")
        if _where(result) != _where(merged):
            raise ValueError(f"file {number} was measured on another machine or with other versions than file 1")
        for name, changes in result["arms"].items():
            if merged["arms"].setdefault(name, changes) != changes:
                raise ValueError(f"file {number} has other settings for the arm '{name}'")
        for one in result["runs"]:
            same = known.setdefault((one["arm"], one["seed"]), one)
            if _figures(same) != _figures(one):
                raise ValueError(f"file {number} has other figures for '{one['arm']}' with seed {one['seed']}")
            if same is one:
                merged["runs"].append(one)
    return merged


def table(result: dict[str, Any]) -> str:
    """Markdown: one row for each arm with what it changes, in bits per byte, less is better."""
    runs = result["runs"]
    found = differences(runs)
    usual = differences(runs, USUAL)
    lines = [
        "| arm | repeated languages | others | gap of the repeated | repeated, against no adapters | CPU time |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, arm in found.items():
        cells = [cell(arm[figure], noise(found, figure)) for figure in ("repeated", "others", "gap")]
        cells.append(cell(usual[name]["repeated"], noise(usual, "repeated")) if name in usual else "")
        lines.append(f"| {name} | {' | '.join(cells)} | {arm['time']:.2f} |")
    seeds = sorted({one["seed"] for one in runs})
    lines += ["", "base:", "", "| seed | repeated languages | others | gap of the repeated | CPU seconds |"]
    lines.append("|---:|---:|---:|---:|---:|")
    for seed in seeds:
        for one in runs:
            if one["arm"] == BASE and one["seed"] == seed:
                lines.append(
                    f"| {seed} | {one['repeated']['heldout_bits_per_byte']:.3f} | "
                    f"{one['others']['heldout_bits_per_byte']:.3f} | {one['repeated']['gap_bits_per_byte']:.3f} | "
                    f"{one['cpu_seconds']:.0f} |"
                )
    return "\n".join([*lines, *objectives(runs)])


def objectives(runs: Runs) -> list[str]:
    """The arms that were scored on masks too, as lines of Markdown: both figures, seeds with commas."""
    arms = list(dict.fromkeys(one["arm"] for one in runs if "masked" in one))
    if not arms:
        return []
    lines = ["", "objectives:", "", "| arm | causal, repeated | causal, others | masked, repeated | masked, others |"]
    lines.append("|---|---:|---:|---:|---:|")
    for arm in [BASE, *arms]:
        own = [one for one in runs if one["arm"] == arm]
        cells = [
            [one[group]["heldout_bits_per_byte"] for one in own if scored(one) == "causal"]
            for group in ("repeated", "others")
        ]
        cells += [
            [one["masked"][group]["bits_per_byte"] for one in own if "masked" in one]
            for group in ("repeated", "others")
        ]
        lines.append(f"| {arm} | {' | '.join(', '.join(f'{value:.3f}' for value in cell) for cell in cells)} |")
    return lines


def cell(found: Effect, least: float) -> str:
    """Mean and standard error, in brackets where no effect is seen."""
    text = f"{found.mean:+.3f}" if math.isnan(found.error) else f"{found.mean:+.3f} ± {found.error:.3f}"
    return text if found.seen(least) else f"({text})"


def _where(result: dict[str, Any]) -> dict[str, Any]:
    """Machine and versions, without the load of the moment."""
    return {key: value for key, value in result["machine"].items() if key != "load"}


def _figures(one: dict[str, Any]) -> dict[str, Any]:
    """What a seed decides; not the time."""
    return {key: value for key, value in one.items() if key != "cpu_seconds"}
