"""What each piece of the trainer does alone: the same small model with one thing changed, several seeds.

    python -m benchmarks.ablation --corpus CORPUS --json FILE [--arms NAME,NAME] [--seeds N] [--quick]
    python -m benchmarks.ablation --merge FILE FILE [--json FILE]

The corpus must be tokenized. A few languages that are passed over several times and a few that are not are sampled
equally; the figures are held-out bits per byte and the gap to training text, means over the repeated and over the
other languages, for each run. Every arm differs from ``base`` (language adapters, no penalty, nothing else) in the
settings that stand beside it in the result. The seed decides initial weights, rows and draws; arms of the same seed
read the same rows. The table has each arm less ``base``, as the mean and standard error of the differences between
runs of one seed; differences stand in brackets, no effect seen, where their mean is not larger than their spread over
the seeds and than the usual spread of all arms.

Runs are deterministic on one machine, so they need not all be made at once: ``--first-seed`` goes on with more seeds,
``--base`` takes the runs of ``base`` from an earlier file, and ``--merge`` makes one table of several files. All of
them refuse files of other settings, machines or versions; that the code still computes the same is yours to know.
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

from benchmarks.ablation_table import BASE, merge, table
from benchmarks.machine import machine
from corpus.config import Config
from corpus.manifest import read_snapshot
from sampler.config import SamplerConfig
from trainer.config import TrainConfig
from trainer.evaluate import evaluate
from trainer.loop import train

SIZE: Final = "96x3x3"
"""Width, layers and heads of the model."""
FIGURES: Final = ("heldout_bits_per_byte", "gap_bits_per_byte", "repeats")

ARMS: Final[dict[str, dict[str, Any]]] = {
    "base": {},
    "half the learning rate": {"optimiser": {"learning_rate": 1.5e-3}},
    "twice the learning rate": {"optimiser": {"learning_rate": 6e-3}},
    "no adapters": {"model": {"adapter": 0}},
    "deviation": {"regularisers": [{"name": "deviation"}]},
    "deviation by tokens": {"regularisers": [{"name": "deviation", "by_evidence": {"by": "tokens"}}]},
    "orthogonality": {"regularisers": [{"name": "orthogonality"}]},
    "redundancy": {"regularisers": [{"name": "redundancy", "strength": 0.3}]},
    "redundancy of vectors": {
        "regularisers": [{"name": "redundancy", "strength": 0.3, "options": {"compare": "vectors"}}]
    },
    "redundancy against the core": {
        "regularisers": [{"name": "redundancy", "strength": 0.3, "options": {"between": "core"}}]
    },
    "embedding deviation": {"regularisers": [{"name": "embedding", "strength": 0.3}]},
    "V-REx": {"regularisers": [{"name": "vrex"}]},
    "V-REx on both sides": {"regularisers": [{"name": "vrex", "options": {"sides": "both"}}]},
    "R-Drop with dropout 0.1": {
        "regularisers": [{"name": "rdrop", "options": {"after": 1}}],
        "dropout": {"rate": 0.1},
    },
    "static gates": {"model": {"gate": "static"}},
    "input gates": {"model": {"gate": "input"}},
    "sparse gates": {"model": {"gate": "static"}, "regularisers": [{"name": "gates", "strength": 0.1}]},
    "adapters of squared ReLU": {"model": {"adapter_activation": "relu2"}},
    "norm gains": {"model": {"norm_gains": True}},
    "norm gains without adapters": {"model": {"norm_gains": True, "adapter": 0}},
    "capacity by need": {"model": {"adapter_power": 0.5}},
    "embeddings scaled by the root of the width": {"model": {"embedding_scaling": "sqrt"}},
    "no QK norm": {"model": {"qk_norm": False}},
    "dropout 0.1": {"dropout": {"rate": 0.1}},
    "dropout by repeats": {"dropout": {"growth": 0.05, "after": 1}},
    "layer drop 0.2": {"layer_drop": {"rate": 0.2}},
    "weight decay 1": {"optimiser": {"weight_decay": 1.0}},
    "weight decay by repeats": {"optimiser": {"decay_growth": 5.0}},
    "layer-wise rates 0.8": {"optimiser": {"layer_decay": 0.8}},
    "Muon": {"optimiser": {"kind": "muon"}},
    "Muon at half the rate": {"optimiser": {"kind": "muon", "muon": {"learning_rate": 1.5e-3}}},
    "Muon at twice the rate": {"optimiser": {"kind": "muon", "muon": {"learning_rate": 6e-3}}},
    "language rates by text": {"optimiser": {"language_rate_power": 0.5}},
    "early stop": {"early_stop": {"patience": 1, "min_improvement": 0.01}, "heldout": {"every": 40}},
    "z-loss 1e-4": {"objective": {"z_loss": 1e-4}},
    "label smoothing 0.05": {"objective": {"label_smoothing": 0.05}},
    "goldfish 1 in 4": {"objective": {"goldfish": {"after": 1}}},
    "mean weights": {"average": {"decay": 0.99}},
    "group DRO": {"language_loss": {"name": "group_dro", "options": {"rate": 0.02}}},
    "chi-square DRO": {"language_loss": {"name": "chi_square", "options": {"radius": 0.1}}},
    "CVaR": {"language_loss": {"name": "cvar", "options": {"level": 0.7}}},
    "focal by language": {"language_loss": {"name": "focal"}},
    "deviation + weight decay 1": {"regularisers": [{"name": "deviation"}], "optimiser": {"weight_decay": 1.0}},
    "deviation + Muon": {"regularisers": [{"name": "deviation"}], "optimiser": {"kind": "muon"}},
    "deviation + Muon + weight decay 1": {
        "regularisers": [{"name": "deviation"}],
        "optimiser": {"kind": "muon", "weight_decay": 1.0},
    },
    "deviation + weight decay 1 + twice the learning rate": {
        "regularisers": [{"name": "deviation"}],
        "optimiser": {"weight_decay": 1.0, "learning_rate": 6e-3},
    },
    "PCGrad": {"surgery": {"kind": "pcgrad", "groups": {"by": "language"}}},
    "GradVac": {"surgery": {"kind": "gradvac", "groups": {"by": "language"}}},
    "masked": {"objective": {"kind": "masked"}},
    "mixed 15:1": {"objective": {"kind": "mixed", "masked_share": 15 / 16}},
    "mixed 7:1": {"objective": {"kind": "mixed", "masked_share": 7 / 8}},
    "mixed 1:1": {"objective": {"kind": "mixed", "masked_share": 1 / 2}},
    "mixed 1:3": {"objective": {"kind": "mixed", "masked_share": 1 / 4}},
    "mixed 1:15": {"objective": {"kind": "mixed", "masked_share": 1 / 16}},
}
"""Settings of each arm that differ from those of ``base``."""


class Setting(Config):
    """What all arms share."""

    steps: int = 400
    """Optimiser steps of a run."""
    rows: int = 8
    """Rows of a step."""
    row_tokens: int = 192
    """Tokens of a row."""
    repeated: int = 6
    """Languages that are passed over several times: the smallest with enough held-out text."""
    others: int = 2
    """The largest languages."""


def main(arguments: list[str] | None = None) -> int:
    """Run the arms and write their figures after each run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.add_argument("--corpus", help="tokenized corpus")
    parser.add_argument("--tokenizer", default="spm", help="its tokenizer")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--arms", default="", help="names with commas; all when not given; base always runs")
    parser.add_argument("--seeds", type=int, default=2, help="runs of each arm")
    parser.add_argument("--first-seed", type=int, default=0, help="seed of the first run of each arm")
    for name, field in Setting.model_fields.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=field.default, help=field.description)
    parser.add_argument("--size", default=SIZE, metavar="WIDTHxLAYERSxHEADS", help=f"of the model; {SIZE}")
    parser.add_argument("--base", type=Path, help="file of an earlier run, whose runs of base are not made again")
    parser.add_argument("--merge", type=Path, nargs="+", metavar="FILE", help="show files of earlier runs as one table")
    parser.add_argument("--quick", action="store_true", help="one seed and 20 steps: does everything run?")
    options = parser.parse_args(arguments)
    if options.merge:
        try:
            merged = merge([json.loads(path.read_text(encoding="utf-8")) for path in options.merge])
        except ValueError as error:
            parser.error(f"--merge: {error}")
        if options.json:
            write(options.json, merged)
        print(table(merged))
        return 0
    if not (options.corpus and options.json):
        parser.error("--corpus and --json are needed, or --merge")
    chosen = [name.strip() for name in options.arms.split(",") if name.strip()] or list(ARMS)
    unknown = sorted(set(chosen) - set(ARMS))
    if unknown:
        parser.error(f"there is no arm '{unknown[0]}'; there are: {', '.join(ARMS)}")
    names = [BASE, *(name for name in chosen if name != BASE)]
    setting = Setting(**{name: getattr(options, name) for name in Setting.model_fields})
    if options.quick:
        setting = setting.model_copy(update={"steps": 20})
    repeated, others = languages(options.corpus, options.tokenizer, setting)
    result: dict[str, Any] = {
        "benchmark": "ablation",
        "machine": machine(),
        "setting": setting.model_dump(),
        "repeated": repeated,
        "others": others,
        "base": base(setting, options.size),
        "arms": {name: ARMS[name] for name in names},
        "runs": [],
    }
    if options.base:
        earlier = json.loads(options.base.read_text(encoding="utf-8"))
        earlier = {**earlier, "arms": {}, "runs": [one for one in earlier["runs"] if one["arm"] == BASE]}
        try:
            result = merge([result, earlier])
        except ValueError as error:
            parser.error(f"--base: {error}")
    for seed in range(options.first_seed, options.first_seed + (1 if options.quick else options.seeds)):
        for name in names:
            if any(one["arm"] == name and one["seed"] == seed for one in result["runs"]):
                continue
            figures = run(options.corpus, options.tokenizer, setting, result["base"], name, seed, repeated, others)
            result["runs"].append({"arm": name, "seed": seed, **figures})
            write(options.json, result)
            print(name, seed, json.dumps(figures), file=sys.stderr, flush=True)
    print(table(result))
    return 0


def write(path: Path, result: dict[str, Any]) -> None:
    """Write a result."""
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


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


def base(setting: Setting, size: str) -> dict[str, Any]:
    """Settings that all arms start from; the size as in ``SIZE``."""
    width, layers, heads = (int(number) for number in size.split("x"))
    return {
        "steps": setting.steps,
        "rows": setting.rows,
        "threads": 1,
        "precision": "bfloat16",
        # The plainest way: rounding, and so the published figures, stays the same when faster ways are found.
        "attention": "dense",
        "model": {"width": width, "layers": layers, "heads": heads},
        "regularisers": [],
        "log": {"every": setting.steps, "tensorboard": False},
        "checkpoint": {"every": setting.steps, "keep": 1},
        "heldout": {"every": setting.steps, "rows": 16},
    }


def run(
    corpus: str,
    tokenizer: str,
    setting: Setting,
    start: dict[str, Any],
    name: str,
    seed: int,
    repeated: list[str],
    others: list[str],
) -> dict[str, Any]:
    """Train one arm, which changes the settings of the start, with one seed; held-out figures and CPU seconds."""
    changes = ARMS[name]
    settings = dict(start)
    for section, values in changes.items():
        before = settings.get(section)
        settings[section] = {**before, **values} if isinstance(before, dict) else values
    sampler = SamplerConfig(row_tokens=setting.row_tokens, languages=(*repeated, *others), mixture="uniform")
    config = TrainConfig.model_validate(settings)
    begun = time.process_time()
    with tempfile.TemporaryDirectory(prefix="evenglot-benchmark-") as folder:
        summary = train(corpus, folder, config, sampler, tokenizer=tokenizer, seed=seed)
        if not summary.finished:
            raise SystemExit(f"stopped in step {summary.step} of '{name}' with seed {seed}; earlier runs are written")
        spent = time.process_time() - begun
        found = json.loads((Path(folder) / "evidence.json").read_text(encoding="utf-8"))
        masked = {}
        if config.objective.kind != "causal":
            masked = evaluate(folder, corpus, objective="masked")["languages"]

    def means(figures: dict[str, Any], names: tuple[str, ...]) -> dict[str, dict[str, float]]:
        return {
            group: {figure: statistics.mean(figures[lang][figure] for lang in tags) for figure in names}
            for group, tags in (("repeated", repeated), ("others", others))
        }

    result: dict[str, Any] = {**means(found, FIGURES), "cpu_seconds": round(spent, 1)}
    if config.objective.kind == "masked":
        result["objective"] = "masked"
    if masked:
        result["masked"] = means(masked, ("bits_per_byte",))
    return result


if __name__ == "__main__":
    raise SystemExit(main())
