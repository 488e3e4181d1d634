"""What translations do for a model: the same small one with none, with TLM, with the contrastive loss, and with both.

    python -m benchmarks.parallel --corpus CORPUS --json FILE [--arms NAME,NAME] [--seeds N] [--steps N] [--quick]

The corpus must be tokenized with parallel text (`evenglot tokenize --parallel FILES`). All arms of a seed begin with
the same weights and read the same monolingual rows; translations come on top, so an arm with them computes more: CPU
seconds stand beside its figures. Figures are held-out bits per byte (mean over languages) and the share of held-out
sentences whose translation is nearest, mean over the pairs of languages and both directions, by the vectors of the
block at two thirds of the depth; chance and the means of the tokens' embeddings stand beside them.
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
from sampler.config import SamplerConfig
from trainer.config import TrainConfig
from trainer.loop import train
from trainer.run.logs import read_metrics

LANGUAGES: Final = ("chr_Cher", "eng_Latn", "fra_Latn", "hin_Deva", "mar_Deva", "swh_Latn")
ROWS: Final = 8
ROW_TOKENS: Final = 192
RETRIEVAL: Final = ("cosine", "margin", "centred", "embeddings", "chance")


def _contrastive(**options: Any) -> list[dict[str, Any]]:
    return [{"name": "contrastive", "strength": 0.3, "options": options}]


ARMS: Final[dict[str, dict[str, Any]]] = {
    "none": {"parallel": {}},
    "more rows": {"parallel": {}, "rows": 13},
    "tlm": {"parallel": {"tlm": {"pairs": 8}}},
    "contrastive": {"parallel": {"contrastive_pairs": 24}, "regularisers": _contrastive()},
    "contrastive centred": {"parallel": {"contrastive_pairs": 24}, "regularisers": _contrastive(centre=True)},
    "both": {"parallel": {"tlm": {"pairs": 8}, "contrastive_pairs": 24}, "regularisers": _contrastive()},
    "contrastive with a queue": {"parallel": {"contrastive_pairs": 24}, "regularisers": _contrastive(queue=192)},
}
"""Settings of each arm beside those of :func:`base`."""


def main(arguments: list[str] | None = None) -> int:
    """Run the arms and write their figures after each run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parallel", description=__doc__)
    parser.add_argument("--corpus", required=True, help="corpus with tokens and parallel text")
    parser.add_argument("--tokenizer", default="spm", help="its tokenizer")
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--arms", default="", help="names with commas; all when not given")
    parser.add_argument("--seeds", type=int, default=2, help="runs of each arm")
    parser.add_argument("--steps", type=int, default=200, help="optimiser steps of a run")
    parser.add_argument("--quick", action="store_true", help="one seed and 10 steps: does everything run?")
    options = parser.parse_args(arguments)
    names = [name.strip() for name in options.arms.split(",") if name.strip()] or list(ARMS)
    unknown = sorted(set(names) - set(ARMS))
    if unknown:
        parser.error(f"there is no arm '{unknown[0]}'; there are: {', '.join(ARMS)}")
    steps = 10 if options.quick else options.steps
    result: dict[str, Any] = {
        "benchmark": "parallel",
        "machine": machine(),
        "languages": LANGUAGES,
        "row_tokens": ROW_TOKENS,
        "base": base(steps),
        "arms": {name: ARMS[name] for name in names},
        "runs": [],
    }
    for seed in range(1 if options.quick else options.seeds):
        for name in names:
            figures = run(options.corpus, options.tokenizer, name, seed, steps)
            result["runs"].append({"arm": name, "seed": seed, **figures})
            options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
            print(name, seed, json.dumps(figures), file=sys.stderr, flush=True)
    print(table(result["runs"]))
    return 0


def base(steps: int) -> dict[str, Any]:
    """Settings that all arms share."""
    return {
        "steps": steps,
        "rows": ROWS,
        "threads": 1,
        "precision": "bfloat16",
        "model": {"width": 96, "layers": 3, "heads": 3},
        "objective": {"kind": "mixed", "masked_share": 0.5},
        "regularisers": [],
        "log": {"every": steps, "tensorboard": False},
        "checkpoint": {"every": steps, "keep": 1},
        "heldout": {"every": steps, "rows": 16},
    }


def run(corpus: str, tokenizer: str, name: str, seed: int, steps: int) -> dict[str, Any]:
    """Train one arm with one seed."""
    config = TrainConfig.model_validate({**base(steps), **ARMS[name]})
    sampler = SamplerConfig(row_tokens=ROW_TOKENS, languages=LANGUAGES, mixture="uniform")
    begun = time.process_time()
    with tempfile.TemporaryDirectory(prefix="evenglot-benchmark-") as folder:
        summary = train(corpus, folder, config, sampler, tokenizer=tokenizer, seed=seed)
        lines = read_metrics(Path(folder) / "metrics.jsonl")
    if not summary.finished:
        raise SystemExit(f"stopped in the run of '{name}': figures of a part of a run are none")
    spent = time.process_time() - begun
    found = [line for line in lines if line["kind"] == "retrieval"]
    return {
        "tokens": summary.tokens,
        "translated_tokens": sum(line["tokens"] for line in lines if line["kind"] == "parallel"),
        "bits_per_byte": summary.final["macro_bits_per_byte"],
        "bits_per_byte_by_language": {
            lang: figures["bits_per_byte"] for lang, figures in summary.final["languages"].items()
        },
        "retrieval_before": {key: found[0]["mean"][key] for key in RETRIEVAL},
        "retrieval": {key: found[-1]["mean"][key] for key in RETRIEVAL},
        "retrieval_by_pair": found[-1]["pairs"],
        "cpu_seconds": round(spent, 1),
    }


def table(runs: list[dict[str, Any]]) -> str:
    """Figures as Markdown: one row for each arm, seeds with commas."""
    heads = ("bits per byte", "cosine", "margin", "centred", "embeddings", "chance", "tokens", "CPU time")
    lines = [f"| arm | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    plain = {one["seed"]: one["cpu_seconds"] for one in runs if one["arm"] == "none"}
    for arm in dict.fromkeys(one["arm"] for one in runs):
        own = [one for one in runs if one["arm"] == arm]
        cells = [", ".join(f"{one['bits_per_byte']:.3f}" for one in own)]
        cells += [", ".join(f"{one['retrieval'][key]:.1%}" for one in own) for key in RETRIEVAL]
        cells.append(f"{statistics.median(one['tokens'] + one['translated_tokens'] for one in own):,.0f}")
        ratios = [one["cpu_seconds"] / plain[one["seed"]] for one in own if plain.get(one["seed"])]
        cells.append(f"{statistics.median(ratios):.2f}" if ratios else "")
        lines.append(f"| {arm} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
