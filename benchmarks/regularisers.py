"""The training step: what each penalty adds to one without any.

    python -m benchmarks.regularisers --json FILE [--quick] [--size small] [--rows N] [--turns N] [--languages 8,64]

All arms train one model with language adapters over the same made-up rows, each with the penalty that names it;
``plain`` has none, ``plain again`` neither: what it differs by is noise. ``all cheap`` has all that do not run the
model twice. R-Drop is measured against a plain step with dropout, with a quarter of the rows repeated often enough.
``measured`` is ``all cheap`` in a step in which each penalty's share of the gradient is measured, as
``train.log.shares_every`` asks for now and then.

The arms take turns, step by step, so that noise meets all alike; ratios are medians over the turns, each turn's step
against the plain one of the same turn. CPU seconds count all threads of the process.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.machine import machine
from benchmarks.trainer import ROW_TOKENS, VOCABULARY, MadeUpStream, Step, measure
from trainer.config import ModelConfig, TrainConfig
from trainer.distributed import World
from trainer.model.language_model import LanguageModel
from trainer.model.transformer import Transformer
from trainer.optimiser.build import Optimiser, make_optimiser
from trainer.reproducible import reproducible
from trainer.steps.batches import pass_rows
from trainer.steps.step import Stepper
from trainer.steps.tally import Tally

CHEAP: Final = ("deviation", "orthogonality", "redundancy", "embedding", "vrex")
DROPOUT: Final = {"dropout": {"rate": 0.1}}

ARMS: Final[dict[str, dict[str, Any]]] = {
    "plain": {},
    **{name: {"regularisers": [{"name": name}]} for name in CHEAP},
    "plain again": {},
    "deviation by repeats": {"regularisers": [{"name": "deviation", "by_evidence": {"by": "repeats"}}]},
    "all cheap": {"regularisers": [{"name": name} for name in CHEAP]},
    "measured": {"regularisers": [{"name": name} for name in CHEAP], "log": {"every": 1, "shares_every": 1}},
    "plain with dropout": DROPOUT,
    "rdrop": {**DROPOUT, "regularisers": [{"name": "rdrop"}]},
}
BASES: Final = {"rdrop": "plain with dropout"}
"""What an arm is compared with, where it is not ``plain``."""


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regularisers", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    sizes = get_args(ModelConfig.model_fields["size"].annotation)
    parser.add_argument("--size", default="small", choices=sizes, help="preset of the model")
    parser.add_argument("--rows", type=int, default=32, help=f"rows of {ROW_TOKENS} tokens in a step")
    parser.add_argument("--turns", type=int, default=5, help="measured steps of each arm")
    parser.add_argument("--languages", default="8,64", help="numbers of languages, with commas")
    parser.add_argument("--arms", default=",".join(ARMS), help="names with commas; plain steps always run")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument(
        "--quick", action="store_true", help="the tiny preset, 8 rows and 2 turns: does everything run?"
    )
    options = parser.parse_args(arguments)
    size, rows, turns = ("tiny", 8, 2) if options.quick else (options.size, options.rows, options.turns)
    chosen = [name.strip() for name in options.arms.split(",")]
    unknown = sorted(set(chosen) - set(ARMS))
    if unknown:
        parser.error(f"there is no arm '{unknown[0]}'; there are: {', '.join(ARMS)}")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    result: dict[str, Any] = {
        "benchmark": "regularisers",
        "machine": machine(),
        "settings": {
            "device": str(device),
            "model": dict(ModelConfig.model_validate({"size": size}).shape()._asdict()),
            "rows": rows,
            "row_tokens": ROW_TOKENS,
            "vocabulary": VOCABULARY,
            "threads": options.threads,
            "turns": turns,
            "arms": {name: ARMS[name] for name in chosen},
        },
        "languages": {},
    }
    for languages in map(int, options.languages.split(",")):
        with reproducible(options.threads):
            figures = measure(arms(size, rows, languages, chosen, device), turns, rows * ROW_TOKENS, device)
        result["languages"][languages] = {"arms": figures, "ratios": ratios(figures)}
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"{languages} languages done", file=sys.stderr)
    print(table(result))
    return 0


def arms(size: str, rows: int, languages: int, chosen: list[str], device: torch.device) -> dict[str, Step]:
    """The steps by name, of one model that all of them train."""
    torch.manual_seed(0)
    config = TrainConfig.model_validate({"rows": rows, "model": {"size": size}, "regularisers": []})
    model = Transformer(config.model, VOCABULARY, languages).to(device)
    optimiser = make_optimiser(model, config.optimiser, config.learning_rate())
    names = [name for name in ARMS if name in {"plain", *chosen, *(BASES[one] for one in chosen if one in BASES)}]
    return {name: stepper(config, ARMS[name], model, optimiser, languages, device) for name in names}


def stepper(
    config: TrainConfig,
    changes: dict[str, Any],
    model: LanguageModel,
    optimiser: Optimiser,
    languages: int,
    device: torch.device,
) -> Step:
    """The trainer's step with some settings changed."""
    changed = TrainConfig.model_validate({**config.model_dump(), **changes})

    def passes(number: int) -> NDArray[np.float64]:
        return np.where(np.arange(languages) % 4 == 0, 5.0, 0.5)

    return Stepper(
        changed,
        model,
        optimiser,
        MadeUpStream(languages, config.rows),
        Tally(languages, device),
        World(0, 1, device),
        train_tokens=[10_000] * languages,
        total=1000,
        mask_id=4,
        pass_rows=pass_rows(config, device, ROW_TOKENS, VOCABULARY),
        seed=0,
        passes=passes,
        occurrences=np.full(VOCABULARY, 100.0, dtype=np.float32),
    )


def ratios(figures: dict[str, dict[str, Any]]) -> dict[str, float]:
    """CPU time of each arm's step over that of the step without: the median over the turns."""

    def ratio(name: str, base: str) -> float:
        pairs = zip(figures[name]["cpu_seconds"], figures[base]["cpu_seconds"], strict=True)
        return statistics.median(float(one / other) for one, other in pairs)

    return {name: ratio(name, BASES.get(name, "plain")) for name in figures if name != "plain"}


def table(result: dict[str, Any]) -> str:
    """The ratios as Markdown: one row for each arm."""
    found = {languages: one["ratios"] for languages, one in result["languages"].items()}
    lines = [
        f"| step with | {' | '.join(f'{languages} languages' for languages in found)} |",
        f"|---|{'---:|' * len(found)}",
    ]
    for name in next(iter(found.values())):
        base = f" (over {BASES[name]})" if name in BASES else ""
        lines.append(f"| {name}{base} | {' | '.join(f'{one[name]:.3f}' for one in found.values())} |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
