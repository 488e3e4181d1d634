"""Speed of the translation stage against CTranslate2 alone: the same model, sentences, arithmetic and threads.

    python -m benchmarks.translation --json FILE [--model DIR] [--texts FILE] [--sentences N] [--repeats N] [--quick]

Arms, in one process, in turn and every second time backwards:

- ``raw``: one call of ``ctranslate2.Translator.translate_batch`` with all sentences' tokens, which were made before
  the clock runs, and batches counted in tokens; the fastest of several sizes, found before, is taken.
- ``engine``: our engine: text to text in one request, with tokens, batches and hashes.
- ``requests``: the same in requests as large as the units of ``augment``.
- ``cache``: these with a cache that is empty.
- ``beam``: as ``cache`` through Beam's RunInference with one worker, from the making of the graph to the job's end.
- ``warm``: as ``beam`` when everything is in the cache.

Models are in memory before the clock runs, in every arm. What that takes, and a Beam job of one sentence, is measured
for itself under ``start``; there with worker processes too.

Without ``--model`` a Marian model of OPUS-MT's usual shape (6 and 6 layers, 512 wide, 32,000 pieces) with random
weights is made; each of its translations has 10 tokens. All arms must make the same number of tokens but for one per
cent, or the figures would not be of the same work. A token is one that was made; ``warm`` counts those it found.
Ratios are medians of the repeats' own, of processor time and of wall time; on a busy machine only the first says much.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import apache_beam as beam
from apache_beam.metrics.metric import Metrics
from apache_beam.ml.inference.base import RunInference

from benchmarks.machine import installed, machine
from benchmarks.random_models import random_marian
from pipeline.augment.config import AugmentConfig
from pipeline.config import RunnerConfig
from pipeline.graphs.deal import dealt
from pipeline.graphs.inference import Translated, TranslationHandler, shared_engine
from pipeline.runner import run_job
from pipeline.translation.card import ModelCard, read_card
from pipeline.translation.config import TranslationConfig
from pipeline.translation.decoding import Decoding
from pipeline.translation.engine import Engine
from pipeline.translation.families import open_family
from pipeline.translation.request import Request

RAW_TOKENS: Final = (512, 1024, 2048, 4096, 16_384)
ONE: Final = ["One sentence loads the model."]
LIMIT: Final = 96
"""Most tokens of a translation."""
RANDOM_LIMIT: Final = 10
"""The same for random weights, which end a sentence at once or never: they are told never, so all have so many."""
END: Final = -20.0
"""On the end's logit of the random model."""
ARMS: Final = ("raw", "engine", "requests", "cache", "beam", "warm")
MEASURES: Final = ("processor", "wall")


def main(arguments: list[str] | None = None) -> int:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.translation", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--model", type=Path, help="model folder; a random one when not given")
    parser.add_argument("--texts", type=Path, help="sentences, one on each line; README.md and docs when not given")
    parser.add_argument("--sentences", type=int, default=1500, help="how many are translated")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each arm")
    parser.add_argument("--beam-size", type=int, default=2, help="hypotheses")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--quick", action="store_true", help="a small model and one repeat: does everything run?")
    options = parser.parse_args(arguments)
    wanted = 60 if options.quick else options.sentences
    sentences = read_sentences(options.texts, wanted)
    limit = LIMIT if options.model else RANDOM_LIMIT
    decoding = Decoding(beam_size=options.beam_size, min_length_limit=limit, max_length_ratio=0.01)
    with tempfile.TemporaryDirectory(prefix="evenglot-benchmark-") as folder:
        model = options.model or Path(folder) / "random"
        card = read_card(model) if options.model else make_model(model, sentences, quick=options.quick)
        sentences = fitting(model, card, sentences)
        figures = measure(model, card, sentences, decoding, options, Path(folder))
    result = {
        "benchmark": "translation",
        "machine": machine(),
        "ctranslate2": installed("ctranslate2"),
        "model": {"name": card.name, "parameters": card.parameters, "quantisation": card.quantisation},
        "decoding": decoding.model_dump(),
        "threads": options.threads,
        "device": options.device,
        **figures,
    }
    options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(table(result))
    return 0


def read_sentences(path: Path | None, number: int) -> list[str]:
    """Different sentences; lines of our own documentation without a file."""
    root = Path(__file__).parents[1]
    paths = [path] if path is not None else [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    lines = (line.strip() for each in paths for line in each.read_text(encoding="utf-8").splitlines())
    return list(dict.fromkeys(line for line in lines if 20 <= len(line) <= 300))[:number]


def fitting(folder: Path, card: ModelCard, sentences: Sequence[str]) -> list[str]:
    """The sentences of no more tokens than the model takes, or 120."""
    tokens = open_family(folder, card).encode(sentences, *card.directions()[0])
    most = min(card.max_positions or LIMIT, 120)
    return [sentence for sentence, pieces in zip(sentences, tokens, strict=True) if len(pieces) <= most]


def make_model(folder: Path, sentences: Sequence[str], *, quick: bool) -> ModelCard:
    """A random model of OPUS-MT's shape, or a small one."""
    pair = [("eng_Latn", "swh_Latn")]
    if quick:
        return random_marian(folder, sentences, pair, width=64, vocabulary=500, end=END)
    texts = read_sentences(None, 100_000)
    return random_marian(folder, texts, pair, width=512, layers=6, heads=8, vocabulary=32_000, pieces=6_000, end=END)


def measure(
    folder: Path, card: ModelCard, sentences: Sequence[str], decoding: Decoding, options: Any, scratch: Path
) -> dict[str, Any]:
    """Seconds and tokens of every arm."""
    settings = {"models": (str(folder),), "device": options.device, "threads": options.threads}
    config = TranslationConfig.model_validate(settings)
    source, target = card.directions()[0]
    route = Engine(config).routes.find(source, target)
    raw, raw_size, opened = best_raw(folder, card, (source, target), sentences, decoding, options)
    whole = [Request("", tuple(sentences), route, decoding)]
    requests = [Request(str(index), part, route, decoding) for index, part in enumerate(units(sentences))]
    one = Request("one", tuple(ONE), route, decoding)
    kept = str(scratch / "kept")

    def ready(arm: str) -> Callable[[], int]:
        """What an arm does, its model loaded."""
        if arm == "raw":
            return raw
        folders = {"cache": tempfile.mkdtemp(dir=scratch), "beam": tempfile.mkdtemp(dir=scratch), "warm": kept}
        engine = loaded(config.model_copy(update={"cache": folders.get(arm)}), one)
        if arm in ("beam", "warm"):
            return lambda: through_beam(engine, requests)
        return lambda: count(engine, whole if arm == "engine" else requests)

    start = start_up(config, one, scratch) | {"raw_load": opened}
    count(loaded(config.model_copy(update={"cache": kept}), one), requests)
    seconds: dict[str, dict[str, list[float]]] = {measure: {arm: [] for arm in ARMS} for measure in MEASURES}
    tokens: dict[str, int] = {}
    for repeat in range(1 if options.quick else options.repeats):
        for arm in ARMS[:: -1 if repeat % 2 else 1]:
            work = ready(arm)
            tokens[arm], took = timed(work)
            for measure in MEASURES:
                seconds[measure][arm].append(took[measure])
            print(arm, tokens[arm], took, file=sys.stderr, flush=True)
    # Other batches may make other words of a few sentences.
    if max(tokens.values()) > 1.01 * min(tokens.values()):
        raise SystemExit(f"the arms made different numbers of tokens: {tokens}")
    return {
        "sentences": len(sentences),
        "requests": len(requests),
        "raw_batch_tokens": raw_size,
        "tokens": tokens["raw"],
        "start": start,
        "seconds": seconds,
        "tokens_per_second": {
            measure: {arm: round(tokens[arm] / statistics.median(took), 1) for arm, took in found.items()}
            for measure, found in seconds.items()
        },
        "ratio": {
            measure: {arm: ratio(tokens[arm] / tokens["raw"], found["raw"], found[arm]) for arm in ARMS}
            for measure, found in seconds.items()
        },
    }


def timed(work: Callable[[], int]) -> tuple[int, dict[str, float]]:
    """What some work gives, and the seconds it took."""
    processor, wall = time.process_time(), time.perf_counter()
    found = work()
    took = {"processor": time.process_time() - processor, "wall": time.perf_counter() - wall}
    return found, {measure: round(value, 3) for measure, value in took.items()}


def ratio(tokens: float, raw: Sequence[float], other: Sequence[float]) -> float:
    """Speed against raw CTranslate2: the median of the repeats."""
    return round(statistics.median(tokens * one / two for one, two in zip(raw, other, strict=True)), 3)


def units(sentences: Sequence[str]) -> list[tuple[str, ...]]:
    """Sentences in parts of as much text as a unit of ``augment`` has."""
    parts: list[list[str]] = []
    size = most = AugmentConfig().unit_bytes
    for sentence in sentences:
        length = len(sentence.encode())
        if size + length > most:
            parts.append([])
            size = 0
        parts[-1].append(sentence)
        size += length
    return [tuple(part) for part in parts]


def start_up(config: TranslationConfig, one: Request, scratch: Path) -> dict[str, dict[str, float]]:
    """Seconds until an engine has translated a sentence; of a Beam job of one sentence, its model in memory; and of one
    by two worker processes, with their start and their models."""
    loaded(config, one)  # what is imported is no part of it
    _, load = timed(lambda: count(Engine(config), [one]))
    engine = loaded(config.model_copy(update={"cache": tempfile.mkdtemp(dir=scratch)}), one)
    through_beam(engine, [one])
    _, job = timed(lambda: through_beam(engine, [one]))
    before, wall = os.times(), time.perf_counter()
    through_beam(engine, [one], workers=2)
    processor = sum(os.times()[:4]) - sum(before[:4])  # of worker processes too
    workers = {"processor": round(processor, 3), "wall": round(time.perf_counter() - wall, 3)}
    return {"engine_load": load, "beam_job": job, "beam_job_two_workers": workers}


def best_raw(
    folder: Path,
    card: ModelCard,
    pair: tuple[str, str],
    sentences: Sequence[str],
    decoding: Decoding,
    options: Any,
) -> tuple[Callable[[], int], int, dict[str, float]]:
    """CTranslate2 alone with the batches that are fastest on half of the sentences, their size, and its start."""
    import ctranslate2

    family = open_family(folder, card)
    compute_type = "int8" if options.device == "cpu" else "int8_float16"
    tokens, prefix = family.encode(sentences, *pair), family.prefix(pair[1])
    opened: list[Any] = []

    def load() -> int:
        opened[:] = [
            ctranslate2.Translator(
                str(folder), device=options.device, compute_type=compute_type, intra_threads=options.threads
            )
        ]
        return translate(tokens[:1], 1)

    def translate(chosen: Sequence[list[str]], size: int) -> int:
        found = opened[0].translate_batch(
            list(chosen),
            [prefix] * len(chosen) if prefix else None,
            max_batch_size=size,
            batch_type="tokens",
            beam_size=decoding.beam_size,
            max_decoding_length=decoding.min_length_limit,
            max_input_length=0,
            disable_unk=True,
            return_scores=True,
        )
        return sum(len(one.hypotheses[0]) for one in found)

    _, start = timed(load)
    took: dict[int, list[float]] = {size: [] for size in RAW_TOKENS}
    for size in RAW_TOKENS * (1 if options.quick else 2):
        took[size].append(timed(lambda size=size: translate(tokens[::2], size))[1]["processor"])  # type: ignore[misc]
    best = min(took, key=lambda size: min(took[size]))
    return lambda: translate(tokens, best), best, start


def loaded(config: TranslationConfig, one: Request) -> Engine:
    """The engine that jobs of these settings use, its model in memory."""
    engine = shared_engine(config)
    count(engine, [one])
    return engine


def count(engine: Engine, requests: Sequence[Request]) -> int:
    """Translate, and count the tokens."""
    found = [translation for request in requests for translation in engine.translate_requests([request])[0]]
    if any(one.problem for one in found):
        raise SystemExit("a sentence was not translated: take shorter ones")
    return sum(one.tokens for one in found)


def through_beam(engine: Engine, requests: Sequence[Request], workers: int = 1) -> int:
    """Translate requests in a Beam job, and count the tokens."""
    counter: Any = Metrics.counter("benchmark", "tokens")
    for_each: Any = beam.Map

    def note(found: Translated) -> None:
        counter.inc(sum(one.tokens for one in found.translations))

    def build(pipeline: Any) -> None:
        found = dealt(pipeline, "requests", requests) | RunInference(TranslationHandler(engine.config))
        _ = found | "note" >> for_each(note)

    return run_job(build, RunnerConfig(), workers)["benchmark/tokens"]


def table(result: dict[str, Any]) -> str:
    """Figures as Markdown."""
    lines = ["| arm | tokens/s of processor time | against raw | against raw, wall |", "|---|---:|---:|---:|"]
    speed, ratios = result["tokens_per_second"]["processor"], result["ratio"]
    lines += [
        f"| {arm} | {speed[arm]:,.0f} | {ratios['processor'][arm]:.2f} | {ratios['wall'][arm]:.2f} |" for arm in ARMS
    ]
    lines += [f"{name}: {took['processor']:.2f} s, wall {took['wall']:.2f} s" for name, took in result["start"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
