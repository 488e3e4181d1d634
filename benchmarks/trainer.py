"""The training step: what adapters and the deviation penalty add to a plain one.

    python -m benchmarks.trainer --json FILE [--quick]
    python -m benchmarks.trainer --json FILE --effect CORPUS --small kam_Latn,tsn_Latn --large eng_Latn

With ``--effect`` it trains instead of timing: models without adapters, with adapters, and with the penalty at
several strengths, on a tokenized corpus, uniformly over a few languages that are repeated and some that are
not; figures are held-out bits per byte and gaps. Otherwise it times steps.

Arms of one size (the tiny preset, vocabulary of 4,096, rows of 256 unless told otherwise) over the same made-up rows:

- gpt: a decoder in plain PyTorch (:mod:`benchmarks.plain_gpt`) without masks, languages or counts. The ratio of plain
  to it is what this trainer costs against the shortest tutorial.
- bare: the model in the shortest loop that trains it: forward, mean loss, backward, clip, AdamW.
- plain: the trainer's step without adapters and regularisers. Its ratio to bare is what the bookkeeping costs.
- dense: plain with a mask over all pairs of a row's tokens, instead of attention document by document.
- adapters, adapters + deviation: with 8 and with 64 languages in a batch. Their ratios are to plain.
- mixed: adapters with 8 and with 64 languages, each document of a row in another one.
- one pass: plain with all rows of the step in one pass, without the bound on a pass's scores.
- bfloat16: plain under autocast, on the CPU or GPU at hand.

The arms take turns, step by step, so that noise meets all alike; ratios are medians over the turns. CPU seconds
count all threads of the process.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from benchmarks.machine import machine
from benchmarks.plain_gpt import plain_gpt
from sampler.config import SamplerConfig
from trainer.config import AttentionWay, ModelConfig, RegulariserConfig, TrainConfig
from trainer.distributed import World
from trainer.loop import train
from trainer.model.attention import lay_out
from trainer.model.language_model import Inputs
from trainer.model.transformer import Transformer, parameter_count
from trainer.optimiser.build import clip, make_optimiser
from trainer.reproducible import reproducible
from trainer.steps.batches import pass_rows
from trainer.steps.step import Stepper
from trainer.steps.tally import Tally

VOCABULARY = 4096
ROW_TOKENS = 256
DOCUMENT = 90
"""Tokens of a made-up document; rows hold several."""

_EVIDENCE = ("heldout_bits_per_byte", "gap_bits_per_byte", "repeats")

Step = Callable[[int], object]


class MadeUpRows(NamedTuple):
    """As the sampler gives them."""

    tokens: NDArray[np.int64]
    segments: NDArray[np.int32]
    positions: NDArray[np.int32]
    languages: NDArray[np.int32]
    token_languages: NDArray[np.int32]


class MadeUpStream:
    """Random rows, made once, of languages in turn; in mixed rows each document is of the next language."""

    def __init__(self, languages: int, rows: int, row_tokens: int = ROW_TOKENS, *, mixed: bool = False) -> None:
        self.languages = tuple(f"l{number}" for number in range(languages))
        random = np.random.default_rng(0)
        columns = np.arange(row_tokens, dtype=np.int32)
        number = np.arange(rows, dtype=np.int32)
        documents = -(-row_tokens // DOCUMENT)
        spoken = number[:, None] * documents + columns // DOCUMENT if mixed else np.tile(number[:, None], row_tokens)
        self._rows = MadeUpRows(
            random.integers(5, VOCABULARY, (rows, row_tokens)),
            np.tile(columns // DOCUMENT, (rows, 1)),
            np.tile(columns % DOCUMENT, (rows, 1)),
            np.full(rows, -1, dtype=np.int32) if mixed else number % languages,
            spoken % languages,
        )

    def rows(self, indices: Sequence[int]) -> MadeUpRows:
        """Rows by index, modulo the number there are."""
        chosen = np.array(indices) % len(self._rows.tokens)
        return MadeUpRows(*(array[chosen] for array in self._rows))


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trainer", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--rows", type=int, default=64, help="rows in a step")
    parser.add_argument("--row-tokens", type=int, default=ROW_TOKENS, help="tokens in a row")
    parser.add_argument("--turns", type=int, default=9, help="measured steps of each arm")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--quick", action="store_true", help="16 rows and 3 turns, or a tenth of the training steps")
    parser.add_argument("--effect", metavar="CORPUS", help="tokenized corpus to train on instead of timing steps")
    parser.add_argument("--tokenizer", default="spm", help="its tokenizer")
    parser.add_argument("--small", default="", help="tags of languages to be repeated, with commas")
    parser.add_argument("--large", default="", help="tags of languages with text enough, with commas")
    parser.add_argument("--seeds", type=int, default=2, help="training runs of each arm")
    options = parser.parse_args(arguments)
    if options.effect:
        small, large = (tuple(tags.split(",")) if tags else () for tags in (options.small, options.large))
        result = effect(options.effect, options.tokenizer, small, large, options.seeds, 32 if options.quick else 320)
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        return 0
    rows, turns = (16, 3) if options.quick else (options.rows, options.turns)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with reproducible(options.threads):
        length = options.row_tokens
        arms = {
            "gpt": gpt(rows, device, length),
            "bare": bare(rows, device, length),
            "plain": stepper(rows, device, languages=8, adapter=0, row_tokens=length),
            "dense": stepper(rows, device, languages=8, adapter=0, row_tokens=length, attention="dense"),
            "one pass": stepper(rows, device, languages=8, adapter=0, row_tokens=length, passes=rows),
            "bfloat16": stepper(rows, device, languages=8, adapter=0, row_tokens=length, precision="bfloat16"),
        }
        for languages in (8, 64):
            own = f"{languages} languages"
            arms[f"adapters, {own}"] = stepper(rows, device, languages=languages, row_tokens=length)
            arms[f"adapters + deviation, {own}"] = stepper(
                rows, device, languages=languages, row_tokens=length, penalties=("deviation",)
            )
            arms[f"mixed, {own}"] = stepper(rows, device, languages=languages, row_tokens=length, mixed=True)
        figures = measure({name: step for name, (step, _) in arms.items()}, turns, rows * length, device)
    for name, (_, parameters) in arms.items():
        figures[name]["parameters"] = parameters
    result = {
        "machine": machine(),
        "settings": {
            "device": str(device),
            "rows": rows,
            "row_tokens": length,
            "vocabulary": VOCABULARY,
            "model": dict(ModelConfig().shape()._asdict()),
            "threads": options.threads,
            "turns": turns,
        },
        "arms": figures,
        "ratios": ratios(figures),
    }
    options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(table(result))
    return 0


def gpt(rows: int, device: torch.device, row_tokens: int) -> tuple[Step, int]:
    """The decoder in plain PyTorch, with as many rows in a pass as the trainer takes."""
    tokens = torch.from_numpy(MadeUpStream(1, rows, row_tokens).rows(range(rows)).tokens).to(device)
    size = pass_rows(TrainConfig(rows=rows), device, row_tokens, VOCABULARY)
    return plain_gpt(ModelConfig().shape(), VOCABULARY, tokens, size)


def bare(rows: int, device: torch.device, row_tokens: int = ROW_TOKENS) -> tuple[Step, int]:
    """The shortest loop, with as many rows in a pass as the trainer takes."""
    config = TrainConfig(rows=rows, model=ModelConfig(adapter=0))
    torch.manual_seed(0)
    model = Transformer(config.model, VOCABULARY, 1).to(device)
    optimiser = make_optimiser(model, config.optimiser, config.learning_rate())
    stream = MadeUpStream(1, rows, row_tokens)
    size = pass_rows(config, device, row_tokens, VOCABULARY)
    passes = []
    for first in range(0, rows, size):
        batch = stream.rows(range(first, min(first + size, rows)))
        inside = np.zeros(batch.tokens.shape, dtype=bool)
        inside[:, 1:] = batch.segments[:, 1:] == batch.segments[:, :-1]
        targets = np.flatnonzero(inside)
        inputs = Inputs(
            tokens=torch.from_numpy(batch.tokens).to(device),
            segments=torch.from_numpy(batch.segments).to(device),
            positions=torch.from_numpy(batch.positions).to(device),
            languages=torch.from_numpy(batch.languages.astype(np.int64)).to(device),
            bidirectional=torch.zeros(len(batch.tokens), dtype=torch.bool, device=device),
            select=torch.from_numpy(targets - 1).to(device),
            layout=lay_out(batch.segments, np.zeros(len(batch.tokens), dtype=bool), device),
        )
        passes.append((inputs, torch.from_numpy(batch.tokens.reshape(-1)[targets]).to(device)))

    def step(number: int) -> None:
        optimiser.zero_grad()
        for inputs, labels in passes:
            loss = functional.cross_entropy(model(inputs).logits.float(), labels) / len(passes)
            torch.autograd.backward(loss)
        clip(model, config.optimiser.clip)
        optimiser.step()

    return step, parameter_count(model)


def stepper(
    rows: int,
    device: torch.device,
    *,
    languages: int,
    adapter: int | None = None,
    penalties: tuple[str, ...] = (),
    precision: str = "float32",
    passes: int | None = None,
    row_tokens: int = ROW_TOKENS,
    attention: AttentionWay = "auto",
    mixed: bool = False,
) -> tuple[Step, int]:
    """The trainer's step."""
    config = TrainConfig(
        attention=attention,
        rows=rows,
        micro_rows=passes,
        model=ModelConfig(adapter=adapter),
        regularisers=tuple(RegulariserConfig(name=name) for name in penalties),
        precision=TrainConfig.model_validate({"precision": precision}).precision,
    )
    torch.manual_seed(0)
    model = Transformer(config.model, VOCABULARY, languages).to(device)
    step = Stepper(
        config,
        model,
        make_optimiser(model, config.optimiser, config.learning_rate()),
        MadeUpStream(languages, rows, row_tokens, mixed=mixed),
        Tally(languages, device),
        World(0, 1, device),
        train_tokens=[10_000] * languages,
        total=1000,
        mask_id=4,
        pass_rows=pass_rows(config, device, row_tokens, VOCABULARY),
        seed=0,
    )
    return step, parameter_count(model)


def measure(arms: dict[str, Step], turns: int, tokens: int, device: torch.device) -> dict[str, dict[str, Any]]:
    """Wall and CPU seconds of each step; the first one of each arm is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    cpu_seconds: dict[str, list[float]] = {name: [] for name in arms}
    for turn in range(turns + 1):
        for name, step in arms.items():
            wall, cpu = time.perf_counter(), time.process_time()
            step(turn)
            if device.type == "cuda":
                torch.cuda.synchronize()
            if turn:
                seconds[name].append(time.perf_counter() - wall)
                cpu_seconds[name].append(time.process_time() - cpu)
        print(f"turn {turn} of {turns}", file=sys.stderr)
    return {
        name: {
            "seconds": seconds[name],
            "cpu_seconds": cpu_seconds[name],
            "median_seconds": statistics.median(seconds[name]),
            "median_cpu_seconds": statistics.median(cpu_seconds[name]),
            "tokens_per_second": tokens / statistics.median(seconds[name]),
            "tokens_per_cpu_second": tokens / statistics.median(cpu_seconds[name]),
        }
        for name in arms
    }


def effect(
    corpus: str, tokenizer: str, small: tuple[str, ...], large: tuple[str, ...], seeds: int, steps: int
) -> dict[str, Any]:
    """Train every arm with every seed; figures are means over the small and over the large languages."""
    plain: dict[str, Any] = {
        "steps": steps,
        "rows": 8,
        "threads": 1,
        "precision": "bfloat16",
        "model": {"width": 96, "layers": 3, "heads": 3},
        "regularisers": [],
        "log": {"every": steps, "tensorboard": False},
        "checkpoint": {"every": steps, "keep": 1},
        "heldout": {"every": steps, "rows": 16},
    }
    arms: dict[str, dict[str, Any]] = {
        "no adapters": {"model": {**plain["model"], "adapter": 0}},
        "adapters": {},
        **{
            f"deviation {strength}": {"regularisers": [{"name": "deviation", "strength": strength}]}
            for strength in (1, 30)
        },
    }
    sampler = SamplerConfig(row_tokens=192, languages=small + large, mixture="uniform")
    runs = []
    with tempfile.TemporaryDirectory(prefix="evenglot-benchmark-") as folder:
        for seed in range(seeds):
            for name, changes in arms.items():
                config = TrainConfig.model_validate({**plain, **changes})
                train(corpus, f"{folder}/{name}-{seed}", config, sampler, tokenizer=tokenizer, seed=seed)
                text = (Path(folder) / f"{name}-{seed}" / "evidence.json").read_text(encoding="utf-8")
                found = json.loads(text)
                figures = {
                    group: {key: statistics.mean(found[lang][key] for lang in tags) for key in _EVIDENCE}
                    for group, tags in (("small", small), ("large", large))
                    if tags
                }
                runs.append({"arm": name, "seed": seed, **figures, "evidence": found})
                print(name, seed, json.dumps(figures))
    return {"machine": machine(), "train": plain, "sampler": sampler.model_dump(mode="json"), "runs": runs}


def ratios(figures: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Each arm's step against plain, and plain against bare: medians of the turns' ratios."""

    def ratio(name: str, base: str, key: str) -> float:
        pairs = zip(figures[name][key], figures[base][key], strict=True)
        return statistics.median(float(one / other) for one, other in pairs)

    result = {}
    for name in figures:
        base = "bare" if name == "plain" else "plain"
        if name == "gpt":
            result["plain / gpt"] = {key: ratio("plain", "gpt", key) for key in ("seconds", "cpu_seconds")}
        elif name != "bare":
            result[f"{name} / {base}"] = {key: ratio(name, base, key) for key in ("seconds", "cpu_seconds")}
    return result


def table(result: dict[str, Any]) -> str:
    """The figures as text."""
    lines = [
        f"{'arm':34} {'step, CPU s':>12} {'tokens/CPU s':>13} {'parameters':>12}",
        *(
            f"{name:34} {arm['median_cpu_seconds']:12.3f} {arm['tokens_per_cpu_second']:13,.0f} {arm['parameters']:12,}"
            for name, arm in result["arms"].items()
        ),
        "",
        *(
            f"{name:52} {value['cpu_seconds']:.3f} of CPU, {value['seconds']:.3f} of wall time"
            for name, value in result["ratios"].items()
        ),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
