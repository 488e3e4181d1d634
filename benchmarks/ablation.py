"""What each piece of the trainer does alone: the same small model with one thing changed, several seeds.

    python -m benchmarks.ablation --corpus CORPUS --json FILE [--arms NAME,NAME] [--seeds N] [--steps N] [--quick]

The corpus must be tokenized. A few languages that are passed over several times and a few that are not are sampled
equally; the figures are held-out bits per byte and the gap to training text, means over the repeated and over the
other languages, for each run. Every arm differs from ``base`` (language adapters, no penalty, nothing else) in the
settings that stand beside it in the result. The seed decides initial weights, rows and draws; arms of the same seed
read the same rows. Differences between arms are given as means over the seeds beside the spread of ``base``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import machine
from corpus.config import Config
from corpus.manifest import read_snapshot
from sampler.config import SamplerConfig
from trainer.config import TrainConfig
from trainer.loop import train

MODEL: Final = {"width": 96, "layers": 3, "heads": 3}
FIGURES: Final = ("heldout_bits_per_byte", "gap_bits_per_byte", "repeats")

ARMS: Final[dict[str, dict[str, Any]]] = {
    "base": {},
    "no adapters": {"model": {"adapter": 0}},
    "deviation": {"regularisers": [{"name": "deviation"}]},
    "static gates": {"model": {"gate": "static"}},
    "input gates": {"model": {"gate": "input"}},
    "norm gains": {"model": {"norm_gains": True}},
    "norm gains, no adapters": {"model": {"norm_gains": True, "adapter": 0}},
    "capacity by need": {"model": {"adapter_power": 0.5}},
    "embeddings scaled by the root of the width": {"model": {"embedding_scaling": "sqrt"}},
    "no QK norm": {"model": {"qk_norm": False}},
    "dropout 0.1": {"dropout": {"rate": 0.1}},
    "dropout by repeats": {"dropout": {"growth": 0.05, "after": 1}},
    "layer drop 0.2": {"layer_drop": {"rate": 0.2}},
    "weight decay 1": {"optimiser": {"weight_decay": 1.0}},
    "weight decay by repeats": {"optimiser": {"decay_growth": 5.0}},
    "layer-wise rates 0.8": {"optimiser": {"layer_decay": 0.8}},
    "label smoothing 0.05": {"objective": {"label_smoothing": 0.05}},
    "goldfish 1 in 4": {"objective": {"goldfish": {"after": 1}}},
    "mean weights": {"average": {"decay": 0.99}},
    "group DRO": {"language_loss": {"name": "group_dro", "options": {"rate": 0.02}}},
    "chi-square DRO": {"language_loss": {"name": "chi_square", "options": {"radius": 0.1}}},
    "CVaR": {"language_loss": {"name": "cvar", "options": {"level": 0.7}}},
    "focal by language": {"language_loss": {"name": "focal"}},
}
"""Settings of each arm that differ from those of ``base``."""


class Setting(Config):
    """What all arms share."""

    steps: int = 400
    rows: int = 8
    row_tokens: int = 192
    repeated: int = 6
    """Languages that are passed over several times: the smallest with enough held-out text."""
    others: int = 2
    """The largest languages."""


def main(arguments: list[str] | None = None) -> int:
    """Run the arms and write their figures after each run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.add_argument("--corpus", required=True, help="tokenized corpus")
    parser.add_argument("--tokenizer", default="spm", help="its tokenizer")
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--arms", default="", help="names with commas; all when not given; base always runs")
    parser.add_argument("--seeds", type=int, default=2, help="runs of each arm")
    parser.add_argument("--steps", type=int, default=Setting().steps, help="optimiser steps of a run")
    parser.add_argument("--quick", action="store_true", help="one seed and 20 steps: does everything run?")
    options = parser.parse_args(arguments)
    chosen = [name.strip() for name in options.arms.split(",") if name.strip()] or list(ARMS)
    unknown = sorted(set(chosen) - set(ARMS))
    if unknown:
        parser.error(f"there is no arm '{unknown[0]}'; there are: {', '.join(ARMS)}")
    names = ["base", *(name for name in chosen if name != "base")]
    setting = Setting(steps=20 if options.quick else options.steps)
    repeated, others = languages(options.corpus, options.tokenizer, setting)
    result: dict[str, Any] = {
        "benchmark": "ablation",
        "machine": machine(),
        "setting": setting.model_dump(),
        "repeated": repeated,
        "others": others,
        "base": base(setting),
        "arms": {name: ARMS[name] for name in names},
        "runs": [],
    }
    for seed in range(1 if options.quick else options.seeds):
        for name in names:
            figures = run(options.corpus, options.tokenizer, setting, name, seed, repeated, others)
            result["runs"].append({"arm": name, "seed": seed, **figures})
            result["differences"] = differences(result["runs"])
            options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
            print(name, seed, json.dumps(figures), file=sys.stderr, flush=True)
    print(table(result))
    return 0


def languages(corpus: str, tokenizer: str, setting: Setting) -> tuple[list[str], list[str]]:
    """The languages of the benchmark: small ones, and the largest.

    Languages with less than 4,000 bytes of held-out text are left out: their figures would be noise.
    """
    known = {
        lang: evidence.tokens.get(tokenizer, 0)
        for lang, evidence in read_snapshot(corpus).languages.items()
        if evidence.heldout_bytes >= 4000 and evidence.tokens.get(tokenizer, 0) >= 10 * setting.row_tokens
    }
    ranked = sorted(known, key=lambda lang: (known[lang], lang))
    return ranked[: setting.repeated], ranked[-setting.others :]


def base(setting: Setting) -> dict[str, Any]:
    """Settings that all arms start from."""
    return {
        "steps": setting.steps,
        "rows": setting.rows,
        "threads": 1,
        "precision": "bfloat16",
        "model": dict(MODEL),
        "regularisers": [],
        "log": {"every": setting.steps, "tensorboard": False},
        "checkpoint": {"every": setting.steps, "keep": 1},
        "heldout": {"every": setting.steps, "rows": 16},
    }


def run(
    corpus: str, tokenizer: str, setting: Setting, name: str, seed: int, repeated: list[str], others: list[str]
) -> dict[str, Any]:
    """Train one arm with one seed; held-out figures and CPU seconds."""
    changes = ARMS[name]
    settings = base(setting)
    for section, values in changes.items():
        before = settings.get(section)
        settings[section] = {**before, **values} if isinstance(before, dict) else values
    sampler = SamplerConfig(row_tokens=setting.row_tokens, languages=(*repeated, *others), mixture="uniform")
    begun = time.process_time()
    with tempfile.TemporaryDirectory(prefix="evenglot-benchmark-") as folder:
        train(corpus, folder, TrainConfig.model_validate(settings), sampler, tokenizer=tokenizer, seed=seed)
        found = json.loads((Path(folder) / "evidence.json").read_text(encoding="utf-8"))
    spent = time.process_time() - begun
    groups = {
        group: {figure: statistics.mean(found[lang][figure] for lang in tags) for figure in FIGURES}
        for group, tags in (("repeated", repeated), ("others", others))
    }
    return {**groups, "cpu_seconds": round(spent, 1)}


def differences(runs: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Held-out bits per byte of each arm less those of base with the same seed: each, and their mean."""
    bases = {one["seed"]: one for one in runs if one["arm"] == "base"}
    found: dict[str, dict[str, Any]] = {}
    for one in runs:
        if one["arm"] == "base":
            continue
        arm = found.setdefault(one["arm"], {"repeated": [], "others": [], "gap": [], "time": []})
        same = bases[one["seed"]]
        for group in ("repeated", "others"):
            key = "heldout_bits_per_byte"
            arm[group].append(round(one[group][key] - same[group][key], 4))
        key = "gap_bits_per_byte"
        arm["gap"].append(round(one["repeated"][key] - same["repeated"][key], 4))
        arm["time"].append(round(one["cpu_seconds"] / same["cpu_seconds"], 3))
    return found


def table(result: dict[str, Any]) -> str:
    """The differences as Markdown: one row for each arm, seeds with commas."""
    lines = ["| arm | repeated languages | others | gap of the repeated | time |", "|---|---:|---:|---:|---:|"]
    for name, arm in result["differences"].items():
        cells = (", ".join(f"{value:+.3f}" for value in arm[key]) for key in ("repeated", "others", "gap"))
        lines.append(f"| {name} | {' | '.join(cells)} | {statistics.median(arm['time']):.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
