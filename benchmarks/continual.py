"""Adding a language to a trained model: what the language gains and what the old ones lose, by way of adding it.

    python -m benchmarks.continual --corpus CORPUS --json FILE [--arms NAME,NAME] [--seeds N] [--quick]

The corpus must be tokenized. A small model is trained on five languages; then Swahili and Finnish are each added to it
in every way, with as many tokens of the run each time, replayed old rows among them. The figures are held-out bits per
byte of the new language, and the change of the old ones' (mean and largest). ``scratch`` is the same model trained on
the new language alone with as many tokens. Open runs move the core at 0.3 of the learning rate. Differences between
arms are to be read against the spread over seeds.
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
from evenglot import steps
from evenglot.continual.add import add_languages
from evenglot.continual.config import AddLanguageConfig
from evenglot.continual.corpora import Sources, joined
from evenglot.recipe.load import load_recipe
from evenglot.recipe.models import Recipe

OLD: Final = ("deu_Latn", "hun_Latn", "ind_Latn", "tur_Latn", "xho_Latn")
RELATIVES: Final = {"swh_Latn": "xho_Latn", "fin_Latn": "hun_Latn"}
"""New languages, and the old one of the same family."""
OPEN: Final = {"mode": "open", "rate": 0.3, "replay": 0.0}

ARMS: Final[dict[str, dict[str, Any]]] = {
    "frozen, from the core": {"start": "core"},
    "frozen, from a relative": {"start": "relatives"},
    "frozen, 500 new pieces": {"start": "relatives", "new_pieces": 500},
    "open": OPEN,
    "open, replay 0.3": {**OPEN, "replay": 0.3},
    "open, EWC 100": {**OPEN, "ewc": 100.0},
    "open, L2-SP 0.1": {**OPEN, "l2_sp": 0.1},
    "open, replay 0.3, 500 new pieces": {**OPEN, "replay": 0.3, "new_pieces": 500},
}
"""Settings of each way."""
SCRATCH: Final = {"scratch": 0, "scratch, 500 new pieces": 500}
"""Pieces that are added to the vocabulary of models that begin with random weights, so that those of the ways above are
compared with their like."""


class Setting(Config):
    """What all arms share."""

    base_steps: int = 400
    steps: int = 100
    rows: int = 8
    row_tokens: int = 128
    width: int = 64
    layers: int = 2
    heads: int = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the arms and write their figures after each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.continual", description=__doc__)
    parser.add_argument("--corpus", required=True, help="tokenized corpus")
    parser.add_argument("--tokenizer", default="spm", help="its tokenizer")
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--arms", default="", help="names with semicolons; all when not given")
    parser.add_argument("--seeds", type=int, default=2, help="bases, each with all arms")
    parser.add_argument("--quick", action="store_true", help="one seed and a few steps: does everything run?")
    options = parser.parse_args(arguments)
    every = [*SCRATCH, *ARMS]
    chosen = [name.strip() for name in options.arms.split(";") if name.strip()] or every
    unknown = sorted(set(chosen) - set(every))
    if unknown:
        parser.error(f"there is no arm '{unknown[0]}'; there are: {'; '.join(every)}")
    setting = Setting(base_steps=10, steps=5) if options.quick else Setting()
    result: dict[str, Any] = {
        "benchmark": "continual",
        "machine": machine(),
        "setting": setting.model_dump(),
        "old": OLD,
        "new": list(RELATIVES),
        "arms": {name: ARMS[name] for name in chosen if name in ARMS},
        "bases": [],
        "runs": [],
    }
    with tempfile.TemporaryDirectory(prefix="evenglot-benchmark-") as folder:
        for seed in range(1 if options.quick else options.seeds):
            base = Path(folder) / f"base-{seed}"
            if set(chosen) - set(SCRATCH):
                begun = time.process_time()
                steps.train(recipe(options.corpus, options.tokenizer, setting, base, seed, OLD, setting.base_steps))
                result["bases"].append({"seed": seed, "cpu_seconds": round(time.process_time() - begun, 1)})
            for lang in RELATIVES:
                for name in chosen:
                    begun = time.process_time()
                    run = Path(folder) / "run"
                    if name in SCRATCH:
                        figures = scratch(options.corpus, options.tokenizer, setting, run, seed, lang, SCRATCH[name])
                    else:
                        figures = added(base, run, lang, ARMS[name], setting.steps)
                    spent = round(time.process_time() - begun, 1)
                    result["runs"].append({"arm": name, "seed": seed, "lang": lang, **figures, "cpu_seconds": spent})
                    result["table"] = table(result["runs"])
                    options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
                    print(name, lang, seed, json.dumps(figures), file=sys.stderr, flush=True)
    print(markdown(result["table"]))
    return 0


def recipe(
    corpus: str, tokenizer: str, setting: Setting, run: Path, seed: int, languages: tuple[str, ...], total: int
) -> Recipe:
    """A run of the small model."""
    return Recipe.model_validate(
        {
            "corpus": corpus,
            "run": str(run),
            "seed": seed,
            "tokenizer": {"name": tokenizer},
            "sampler": {"row_tokens": setting.row_tokens, "languages": languages, "mixture": "uniform"},
            "train": {
                "steps": total,
                "rows": setting.rows,
                "threads": 1,
                "model": {"width": setting.width, "layers": setting.layers, "heads": setting.heads},
                "log": {"every": total, "tensorboard": False},
                "checkpoint": {"every": total, "keep": 1},
                "heldout": {"every": total, "rows": 2},
            },
        }
    )


def added(base: Path, run: Path, lang: str, arm: dict[str, Any], total: int) -> dict[str, Any]:
    """Add a language to a base in one way."""
    relatives = {"relatives": (RELATIVES[lang],)} if arm.get("start") == "relatives" else {}
    settings = AddLanguageConfig.model_validate({"languages": (lang,), "steps": total, **arm, **relatives})
    changed = ("train.checkpoint.every=null", f"train.log.every={total}")
    found = add_languages(
        str(base), None, str(run), settings, lambda had: load_recipe(None, changed, base=("the base", had)), fresh=True
    )
    return {
        "before_core": found["before_new"][lang]["core"],
        "before_nearest": found["before_new"][lang]["nearest adapter"],
        "new": found["after"][lang],
        "old_change_mean": found["old_change_mean"],
        "old_change_largest": found["old_change_largest"],
        "old_losses_equal": found["old_losses_equal"],
        "start": found["start"][lang],
        "fertility": list(found["fertility"][lang].values()),
    }


def scratch(
    corpus: str, tokenizer: str, setting: Setting, run: Path, seed: int, lang: str, pieces: int
) -> dict[str, Any]:
    """The same model trained on the new language alone."""
    with tempfile.TemporaryDirectory(prefix="evenglot-benchmark-") as folder:
        if pieces:
            digest = str(read_snapshot(corpus).tokenizers[tokenizer]["hash"])
            found = joined(Sources(corpus, None, corpus, tokenizer, digest), OLD, (lang,), Path(folder), pieces, seed)
            corpus, tokenizer = found.root, found.tokenizer
        asked = recipe(corpus, tokenizer, setting, run, seed, (lang,), setting.steps)
        steps.train(asked, fresh=True)
        scores = steps.evaluate(asked, None)
    return {"new": scores["languages"][lang]["bits_per_byte"]}


def table(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each arm the figures of all seeds, by language, and the old languages' change."""
    rows = []
    for name in dict.fromkeys(one["arm"] for one in runs):
        same = [one for one in runs if one["arm"] == name]
        row: dict[str, Any] = {"arm": name}
        for lang in RELATIVES:
            row[lang] = [round(one["new"], 3) for one in same if one["lang"] == lang]
        for key in ("old_change_mean", "old_change_largest"):
            row[key] = [round(one[key], 4) for one in same if key in one]
        row["old_losses_equal"] = all(one.get("old_losses_equal", False) for one in same)
        row["cpu_seconds"] = statistics.median(one["cpu_seconds"] for one in same)
        rows.append(row)
    return rows


def markdown(rows: list[dict[str, Any]]) -> str:
    """The table for people: each new language by seed, then the old ones' mean and largest change over all runs."""
    lines = [
        f"| way | {' | '.join(RELATIVES)} | old languages, mean change | largest |",
        f"|---|{'---:|' * (len(RELATIVES) + 2)}",
    ]
    for row in rows:
        cells = [", ".join(f"{value:.3f}" for value in row[lang]) for lang in RELATIVES]
        if row["old_losses_equal"]:
            change = ["0, equal to the bit", "0"]
        elif row["old_change_mean"]:
            change = [f"{statistics.mean(row['old_change_mean']):+.3f}", f"{max(row['old_change_largest']):+.3f}"]
        else:
            change = ["", ""]
        lines.append(f"| {row['arm']} | {' | '.join([*cells, *change])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
