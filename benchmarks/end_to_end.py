"""The whole way on the development corpus: tokenize, train, kill, resume, evaluate, report.

    python -m benchmarks.end_to_end --json FILE [--output DIR] [--data ../shared/data/corpus] [--quick]

Two arms are trained on one corpus, the same model under two mixtures: languages as they are found, and UniMax. The
balanced arm is trained twice: once in peace, once killed with SIGKILL half-way and started
again; final loss and weights of the two must be the same. Every command runs as a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from corpus.hashing import file_hash

RECIPE = """\
sampler: {{row_tokens: 256, mixture: {mixture}, epochs: 4}}
train:
  steps: {steps}
  rows: 16
  threads: 1
  model: {{size: tiny}}
  heldout: {{every: {every}}}
  checkpoint: {{every: {every}}}
  regularisers: [{{name: deviation, strength: 1.0}}]
"""
ARMS = {"proportional": "proportional", "balanced": "unimax", "resumed": "unimax"}


def evenglot(*arguments: str) -> list[str]:
    """The command line as a user would start it."""
    return [sys.executable, "-m", "evenglot", *arguments]


def timed(*arguments: str) -> dict[str, float]:
    """Run one command to its end."""
    before, started = os.times(), time.monotonic()
    finished = subprocess.run(
        evenglot(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    if finished.returncode:
        raise SystemExit(f"evenglot {' '.join(arguments)} failed:\n{finished.stderr[-3000:]}")
    return spent(before, started)


def both(*recipes: Path) -> dict[str, float]:
    """Train several arms side by side, one thread each."""
    before, started = os.times(), time.monotonic()
    processes = [
        subprocess.Popen(
            evenglot("train", "--recipe", str(recipe)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for recipe in recipes
    ]
    if any(process.wait() for process in processes):
        raise SystemExit(f"training failed; run `evenglot train --recipe {recipes[0]}` to see why")
    return spent(before, started)


def spent(before: os.times_result, started: float) -> dict[str, float]:
    """Wall and CPU seconds of the children since a moment."""
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall_seconds": round(time.monotonic() - started, 1), "cpu_seconds": round(cpu, 1)}


def killed(recipe: Path, run: Path, step: int) -> int:
    """Train until the log has passed a step, then SIGKILL; gives the last step in the log."""
    process = subprocess.Popen(
        evenglot("train", "--recipe", str(recipe)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None:
        if (reached := last_step(run)) >= step:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return reached
        time.sleep(0.05)
    raise SystemExit("training ended before it could be killed")


def last_step(run: Path) -> int:
    """The last step that the metrics tell of."""
    metrics = run / "metrics.jsonl"
    if not metrics.exists():
        return 0
    lines = [line for line in metrics.read_text(encoding="utf-8").split("\n")[:-1] if line]
    return int(json.loads(lines[-1])["step"]) if lines else 0


def outcome(run: Path) -> dict[str, Any]:
    """What a finished run came to."""
    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    last = [line for line in metrics if line["kind"] == "train"][-1]
    weights = sorted((run / "checkpoints").iterdir())[-1] / "model.safetensors"
    return {"step": last["step"], "loss": last["loss"], "weights": file_hash(weights), "lines": len(metrics)}


def main() -> None:
    """Run everything, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, help="file for all figures")
    parser.add_argument(
        "--output", type=Path, help="new folder for corpus, runs and report; by default a temporary one"
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data/corpus"), help="folder of the corpus")
    parser.add_argument("--quick", action="store_true", help="30 steps instead of 200")
    arguments = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="evenglot-")) if arguments.output is None else arguments.output.resolve()
    root.mkdir(parents=True, exist_ok=arguments.output is None)
    steps = 30 if arguments.quick else 200
    common = f"corpus: {root}/corpus\ntokenizer: {{vocabulary: 8000, sample_bytes: 8000000}}\n"
    common += f"inputs: [{{path: '{arguments.data.resolve()}/shard-*.jsonl.zst'}}]\n"
    recipes = {}
    for name, mixture in ARMS.items():
        recipes[name] = root / f"{name}.yaml"
        recipes[name].write_text(
            f"{common}run: {root}/{name}\n{RECIPE.format(mixture=mixture, steps=steps, every=steps // 10)}"
        )
    times = {
        "prepare": timed("prepare", "--recipe", str(recipes["balanced"])),
        "tokenize": timed("tokenize", "--recipe", str(recipes["balanced"])),
        "train both arms at once": both(recipes["proportional"], recipes["balanced"]),
    }
    stopped = killed(recipes["resumed"], root / "resumed", steps // 2)
    times["train resumed, second part"] = timed("train", "--recipe", str(recipes["resumed"]))
    for name in ("proportional", "balanced"):
        times[f"evaluate {name}"] = timed("evaluate", "--recipe", str(recipes[name]))
    times["report"] = timed(
        "report", "--corpus", f"{root}/corpus", "--run", f"{root}/proportional", "--run", f"{root}/balanced",
        "--output", f"{root}/report.html",
    )  # fmt: skip
    whole, resumed = outcome(root / "balanced"), outcome(root / "resumed")
    evaluations = {
        name: json.loads((root / name / "evaluation.json").read_text(encoding="utf-8"))
        for name in ("proportional", "balanced")
    }
    result = {
        "machine": machine(),
        "steps": steps,
        "times": times,
        "killed_at_step": stopped,
        "whole": whole,
        "resumed": resumed,
        "identical": whole == resumed,
        "bits_per_byte": {
            name: {
                "macro": found["macro_bits_per_byte"],
                "micro": found["micro_bits_per_byte"],
                "languages": {lang: value["bits_per_byte"] for lang, value in found["languages"].items()},
            }
            for name, found in evaluations.items()
        },
    }
    arguments.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
