"""Does synthetic text help? The same small model on natural text alone and with synthetic text, at equal tokens.

    python -m benchmarks.augmentation --corpus CORPUS --json FILE [--arms NAME;NAME] [--seeds N] [--quick]

The corpus must have been augmented and tokenized; its held-out text is natural. The languages are those that have
synthetic text, sampled equally, and the largest one beside them, so that every arm reads as many tokens of each. All
arms read the same snapshot, tokens of the same vocabulary, and differ in how much of the synthetic text they may see.
The figures are held-out bits per byte by language, how often a language's text was passed over, and the share of its
tokens that were synthetic; the table has differences to ``natural`` between runs of one seed. Several files, of
corpora augmented in several ways, are shown side by side with ``--show FILE FILE``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.ablation import SIZE
from benchmarks.ablation_table import effect
from benchmarks.machine import machine
from corpus.config import Config
from corpus.manifest import read_snapshot
from sampler.config import SamplerConfig
from trainer.config import TrainConfig
from trainer.loop import train

NATURAL: Final = "natural"
ARMS: Final[dict[str, float]] = {
    NATURAL: 0.0,
    "synthetic at most a quarter": 0.25,
    "all": 1.0,
    "all, then natural": 1.0,
}
"""Largest share of synthetic text in a language's tokens; the last arm drops it for the second half of the run."""
TWO_STAGES: Final = "all, then natural"


class Setting(Config):
    """What all arms share."""

    steps: int = 800
    """Optimiser steps of a run."""
    rows: int = 8
    """Rows of a step."""
    row_tokens: int = 192
    """Tokens of a row."""
    least_heldout: int = 4000
    """Bytes of held-out text without which a language is left out."""


def main(arguments: list[str] | None = None) -> int:
    """Run the arms and write their figures after each run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.augmentation", description=__doc__)
    parser.add_argument("--corpus", help="augmented and tokenized corpus")
    parser.add_argument("--tokenizer", default="spm", help="its tokenizer")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--arms", default="", help=f"names with semicolons; all when not given: {'; '.join(ARMS)}")
    parser.add_argument("--languages", default="", help="tags with commas; all that have synthetic text when not given")
    parser.add_argument("--seeds", type=int, default=2, help="runs of each arm")
    parser.add_argument("--size", default=SIZE, metavar="WIDTHxLAYERSxHEADS", help=f"of the model; {SIZE}")
    for name, field in Setting.model_fields.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=field.default, help=field.description)
    parser.add_argument("--quick", action="store_true", help="one seed and 20 steps: does everything run?")
    parser.add_argument("--show", type=Path, nargs="+", metavar="FILE", help="show files of earlier runs")
    options = parser.parse_args(arguments)
    if options.show:
        for path in options.show:
            print(f"{path.stem}\n\n{table(json.loads(path.read_text(encoding='utf-8'))['runs'])}\n")
        return 0
    if not (options.corpus and options.json):
        parser.error("--corpus and --json are needed, or --show")
    names = [name.strip() for name in options.arms.split(";") if name.strip()] or list(ARMS)
    unknown = sorted(set(names) - set(ARMS))
    if unknown:
        parser.error(f"there is no arm '{unknown[0]}'; there are: {'; '.join(ARMS)}")
    names = [NATURAL, *(name for name in names if name != NATURAL)]
    setting = Setting(**{name: getattr(options, name) for name in Setting.model_fields})
    if options.quick:
        setting = setting.model_copy(update={"steps": 20})
    asked = tuple(tag.strip() for tag in options.languages.split(",") if tag.strip())
    try:
        targets, largest = languages(options.corpus, options.tokenizer, setting, asked)
    except ValueError as error:
        parser.error(str(error))
    result: dict[str, Any] = {
        "benchmark": "augmentation",
        "machine": machine(),
        "setting": setting.model_dump(),
        "size": options.size,
        "languages": targets,
        "largest": largest,
        "text": text(options.corpus, options.tokenizer, targets),
        "runs": [],
    }
    for seed in range(1 if options.quick else options.seeds):
        for name in names:
            figures = run(options.corpus, options.tokenizer, setting, options.size, name, seed, (*targets, largest))
            result["runs"].append({"arm": name, "seed": seed, **figures})
            options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
            print(name, seed, json.dumps(figures), file=sys.stderr, flush=True)
    print(table(result["runs"]))
    return 0


def languages(corpus: str, tokenizer: str, setting: Setting, asked: tuple[str, ...] = ()) -> tuple[list[str], str]:
    """The languages that have synthetic text and enough held-out text to measure, and the largest of all.

    Raises:
        ValueError: there are none, or one that was asked for is not among them.
    """
    known = read_snapshot(corpus).languages
    found = [
        lang
        for lang, evidence in sorted(known.items())
        if evidence.synthetic_tokens.get(tokenizer, 0) and evidence.heldout_bytes >= setting.least_heldout
    ]
    missing = sorted(set(asked) - set(found))
    if missing:
        raise ValueError(f"{missing[0]} has no synthetic text in tokens of '{tokenizer}', or too little held-out text")
    if not found:
        raise ValueError(f"{corpus} has no synthetic text in tokens of '{tokenizer}': augment and tokenize it first")
    chosen = [lang for lang in found if not asked or lang in asked]
    others = {lang: evidence.tokens.get(tokenizer, 0) for lang, evidence in known.items() if lang not in chosen}
    if not others:
        raise ValueError(f"all languages of {corpus} have synthetic text; one that has none is needed beside them")
    return chosen, max(others, key=lambda lang: (others[lang], lang))


def text(corpus: str, tokenizer: str, targets: Sequence[str]) -> dict[str, dict[str, int]]:
    """Training tokens of each language, all and synthetic."""
    known = read_snapshot(corpus).languages
    return {
        lang: {
            "tokens": known[lang].tokens[tokenizer],
            "synthetic_tokens": known[lang].synthetic_tokens[tokenizer],
            "heldout_bytes": known[lang].heldout_bytes,
        }
        for lang in targets
    }


def sampler(name: str, setting: Setting, tags: tuple[str, ...]) -> SamplerConfig:
    """What an arm reads."""
    common: dict[str, Any] = {"row_tokens": setting.row_tokens, "languages": tags, "mixture": "uniform"}
    documents = {"max_synthetic_share": ARMS[name]}
    if name != TWO_STAGES:
        return SamplerConfig.model_validate({**common, "documents": documents})
    half = setting.steps * setting.rows * setting.row_tokens // 2
    stages = [
        {"name": "all", "tokens": half, "documents": documents},
        {"name": "natural", "documents": {"max_synthetic_share": 0.0}},
    ]
    return SamplerConfig.model_validate({**common, "stages": stages})


def run(
    corpus: str, tokenizer: str, setting: Setting, size: str, name: str, seed: int, tags: tuple[str, ...]
) -> dict[str, Any]:
    """Train one arm with one seed; held-out bits per byte of each language, passes over its text, CPU seconds."""
    width, layers, heads = (int(number) for number in size.split("x"))
    config = TrainConfig.model_validate(
        {
            "steps": setting.steps,
            "rows": setting.rows,
            "threads": 1,
            "precision": "bfloat16",
            "model": {"width": width, "layers": layers, "heads": heads},
            "log": {"every": setting.steps, "tensorboard": False},
            "checkpoint": {"every": setting.steps, "keep": 1},
            "heldout": {"every": setting.steps, "rows": 32},
        }
    )
    begun = time.process_time()
    with tempfile.TemporaryDirectory(prefix="evenglot-benchmark-") as folder:
        summary = train(corpus, folder, config, sampler(name, setting, tags), tokenizer=tokenizer, seed=seed)
        if not summary.finished:
            raise SystemExit(f"stopped in step {summary.step} of '{name}' with seed {seed}; earlier runs are written")
        found = json.loads((Path(folder) / "evidence.json").read_text(encoding="utf-8"))
    return {
        "bits_per_byte": {lang: round(found[lang]["heldout_bits_per_byte"], 4) for lang in tags},
        "repeats": {lang: round(found[lang]["repeats"], 2) for lang in tags},
        "cpu_seconds": round(time.process_time() - begun, 1),
    }


def table(runs: Sequence[Mapping[str, Any]]) -> str:
    """Bits per byte under natural text, and each arm less it: mean over seeds, then by seed; a line for each language
    and one for the mean over all but the largest, which stands last."""
    arms = list(dict.fromkeys(one["arm"] for one in runs))
    base = {one["seed"]: one for one in runs if one["arm"] == NATURAL}
    tags = list(next(iter(base.values()))["bits_per_byte"])
    lines = [f"| | {' | '.join(arms)} |", f"|---|{'---:|' * len(arms)}"]

    def value(one: Mapping[str, Any], group: Sequence[str]) -> float:
        return float(statistics.mean(one["bits_per_byte"][lang] for lang in group))

    for label, group in [("mean", tags[:-1]), *((lang, [lang]) for lang in tags)]:
        cells = [f"{statistics.mean(value(one, group) for one in base.values()):.3f}"]
        for arm in arms[1:]:
            found = effect([value(one, group) - value(base[one["seed"]], group) for one in runs if one["arm"] == arm])
            cells.append(f"{found.mean:+.3f} ({', '.join(f'{each:+.3f}' for each in found.each)})")
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
