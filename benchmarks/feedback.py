"""Feedback policies beside a fixed mixture: what they do to held-out bits per byte.

    python -m benchmarks.feedback --corpus CORPUS --json FILE [--languages TAGS] [--steps N] [--seeds N] [--quick]

Trains the same small model from the same seeds under UniMax alone and under each policy on top of it, on a tokenized
corpus (``evenglot demo`` leaves one in ``demo-output/corpus``). Budget, rows of a step, model and evaluation are equal;
the policies decide about sixteen times in a run. Figures are means of held-out bits per byte over all languages, over
the third with most training text (major) and over the third with least (minor), and the worst language; each policy's
difference to UniMax of the same seed, whose spread over the seeds says what is noise. ``--quick`` takes few steps and
one seed: it shows that the benchmark runs, its figures mean nothing.
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

from benchmarks.machine import machine
from sampler.config import SamplerConfig
from trainer.config import TrainConfig
from trainer.loop import train
from trainer.run.logs import METRICS, read_metrics

ARMS: Final[dict[str, dict[str, Any]]] = {
    "unimax": {},
    "excess": {"policy": "excess", "baseline": "heldout", "rate": 1.0},
    "progress": {"policy": "progress", "rate": 5.0},
    "exponentiated_gradient": {"policy": "exponentiated_gradient", "rate": 0.1},
}
"""The policies with settings of their own; everything else is as by default."""

FIGURES: Final = ("macro", "major", "minor", "worst")
ROW_TOKENS: Final = 128
BLOCK_ROWS: Final = 32
ROWS: Final = 16
DECISIONS: Final = 16
MODEL: Final = {"width": 64, "layers": 2, "heads": 4}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train all arms and write the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--corpus", required=True, help="tokenized corpus")
    parser.add_argument("--json", required=True, help="file for the figures")
    parser.add_argument("--tokenizer", default="spm", help="its tokenizer")
    parser.add_argument("--languages", default="", help="tags, with commas; all when not given")
    parser.add_argument("--steps", type=int, default=400, help="optimiser steps of a run")
    parser.add_argument("--seeds", type=int, default=2, help="runs of each arm")
    parser.add_argument("--quick", action="store_true", help="few steps, one seed")
    given = parser.parse_args(arguments)
    steps, seeds = (48, 1) if given.quick else (given.steps, given.seeds)
    languages = tuple(given.languages.split(",")) if given.languages else None
    runs: dict[str, list[dict[str, Any]]] = {arm: [] for arm in ARMS}
    for seed in range(seeds):
        for arm, feedback in ARMS.items():
            runs[arm].append(one_run(given.corpus, given.tokenizer, languages, steps, seed, feedback))
            print(f"{arm:24} seed {seed}  {shown(runs[arm][-1])}", file=sys.stderr, flush=True)
    result = {
        "machine": machine(),
        "settings": {
            "corpus": given.corpus, "languages": languages, "steps": steps, "rows": ROWS, "row_tokens": ROW_TOKENS,
            "block_rows": BLOCK_ROWS, "model": MODEL, "arms": ARMS, "quick": given.quick,
        },
        "runs": runs,
        "differences": differences(runs),
    }  # fmt: skip
    Path(given.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for arm, found in result["differences"].items():
        text = "  ".join(f"{name} {value['mean']:+.4f} ± {value['spread']:.4f}" for name, value in found.items())
        print(f"{arm:24} against unimax  {text}")
    return 0


def one_run(
    corpus: str, tokenizer: str, languages: tuple[str, ...] | None, steps: int, seed: int, feedback: Mapping[str, Any]
) -> dict[str, Any]:
    """Train one arm and give its figures."""
    blocks = steps * ROWS // BLOCK_ROWS
    sampler = SamplerConfig.model_validate(
        {
            "row_tokens": ROW_TOKENS,
            "block_rows": BLOCK_ROWS,
            "languages": languages,
            "feedback": {"every": max(2, blocks // DECISIONS), "delay": 1, "min_tokens": 1024, **feedback},
        }
    )
    config = TrainConfig.model_validate(
        {
            "steps": steps, "rows": ROWS, "threads": 1, "device": "cpu", "model": MODEL,
            "log": {"every": steps, "tensorboard": False}, "checkpoint": {"every": steps},
            "heldout": {"every": max(1, steps // 8), "rows": 8},
        }
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        summary = train(corpus, folder, config, sampler, tokenizer=tokenizer, seed=seed)
        seconds = time.process_time() - started
        evidence = json.loads((Path(folder) / "evidence.json").read_text(encoding="utf-8"))
        changes = sum(line["kind"] == "mixture" for line in read_metrics(Path(folder) / METRICS))
    scores = {lang: figures["bits_per_byte"] for lang, figures in summary.final["languages"].items()}
    sizes = {
        lang: known["train_tokens_seen"] / known["repeats"] for lang, known in evidence.items() if known["repeats"]
    }
    return {
        "seed": seed,
        "cpu_seconds": round(seconds, 1),
        "changes": changes,
        **grouped(scores, sizes),
        "most_repeats": max(known["repeats"] for known in evidence.values()),
        "bits_per_byte": scores,
        "last_shares": {lang: known["share_asked_last"] for lang, known in evidence.items()},
    }


def grouped(scores: Mapping[str, float], sizes: Mapping[str, float]) -> dict[str, float]:
    """Means of bits per byte: over all, over the third of most and of least training text; and the worst."""
    ranked = sorted((lang for lang in scores if lang in sizes), key=lambda lang: (-sizes[lang], lang))
    third = max(1, len(ranked) // 3)
    return {
        "macro": statistics.fmean(scores.values()),
        "major": statistics.fmean(scores[lang] for lang in ranked[:third]),
        "minor": statistics.fmean(scores[lang] for lang in ranked[-third:]),
        "worst": max(scores.values()),
    }


def differences(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, dict[str, dict[str, float]]]:
    """For each policy and figure: the mean over seeds of its difference to UniMax, and half the range of them."""
    result: dict[str, dict[str, dict[str, float]]] = {}
    for arm, found in runs.items():
        if arm == "unimax":
            continue
        result[arm] = {}
        for name in FIGURES:
            values = [run[name] - base[name] for run, base in zip(found, runs["unimax"], strict=True)]
            result[arm][name] = {"mean": statistics.fmean(values), "spread": (max(values) - min(values)) / 2}
    return result


def shown(run: Mapping[str, Any]) -> str:
    """The figures of a run on a line."""
    figures = "  ".join(f"{name} {run[name]:.4f}" for name in FIGURES)
    return f"{figures}  repeats {run['most_repeats']:.1f}  changes {run['changes']}  {run['cpu_seconds']} CPU s"


if __name__ == "__main__":
    sys.exit(main())
