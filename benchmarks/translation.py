"""Speed of the translation stage against CTranslate2 alone: the same model, sentences, arithmetic and threads.

    python -m benchmarks.translation --json FILE [--model DIR] [--texts FILE] [--sentences N] [--repeats N] [--quick]

Arms, one after another in each repeat, in one process:

- ``raw``: one call of ``ctranslate2.Translator.translate_batch`` with all sentences' tokens, which were made before
  the clock runs, and batches counted in tokens; the fastest of several sizes, found before, is taken.
- ``engine``: our engine: text to text, with tokens, batches and hashes.
- ``cache``: the same with a cache that is empty.
- ``beam``: requests of 200 sentences through Beam's RunInference with one worker.
- ``warm``: as ``cache`` when everything is in it.

Without ``--model`` a Marian model of OPUS-MT's usual shape (6 and 6 layers, 512 wide, 32,000 pieces) with random
weights is made; each of its translations has 10 tokens. All arms must make the same number of tokens but for one per
cent, or the figures would not be of the same work. Seconds are processor time; a token is one that was made.
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
from typing import Any, Final

from benchmarks.machine import installed, machine
from benchmarks.random_models import random_marian
from pipeline.translation.card import ModelCard, read_card
from pipeline.translation.config import TranslationConfig
from pipeline.translation.decoding import Decoding
from pipeline.translation.engine import Engine
from pipeline.translation.families import open_family
from pipeline.translation.request import Request
from pipeline.translation.routes import Route

RAW_TOKENS: Final = (1024, 4096, 16_384)
REQUEST: Final = 200
LIMIT: Final = 96
"""Most tokens of a translation."""
RANDOM_LIMIT: Final = 10
"""The same for random weights, which end a sentence at once or never: they are told never, so all have so many."""
END: Final = -20.0
"""On the end's logit of the random model."""
ARMS: Final = ("raw", "engine", "cache", "beam", "warm")


def main(arguments: list[str] | None = None) -> int:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.translation", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--model", type=Path, help="model folder; a random one when not given")
    parser.add_argument("--texts", type=Path, help="sentences, one on each line; README.md and docs when not given")
    parser.add_argument("--sentences", type=int, default=900, help="how many are translated")
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
    """Processor seconds and tokens of every arm."""
    settings = {"models": (str(folder),), "device": options.device, "threads": options.threads}
    config = TranslationConfig.model_validate(settings)
    source, target = card.directions()[0]
    engine = Engine(config)
    route = engine.routes.find(source, target)
    raw, raw_size = best_raw(folder, card, (source, target), sentences, decoding, options)
    arms: dict[str, Callable[[], int]] = {
        "raw": raw,
        "engine": lambda: count(engine, sentences, route, decoding),
        "cache": lambda: count(fresh(config, scratch), sentences, route, decoding),
        "beam": lambda: through_beam(config, sentences, route, decoding),
    }
    arms["engine"](), arms["beam"]()  # models are loaded
    kept = config.model_copy(update={"cache": str(scratch / "kept")})
    count(Engine(kept), sentences, route, decoding)
    arms["warm"] = lambda: count(Engine(kept), sentences, route, decoding)
    seconds: dict[str, list[float]] = {name: [] for name in ARMS}
    tokens: dict[str, int] = {}
    for _ in range(1 if options.quick else options.repeats):
        for name in ARMS:
            begun = time.process_time()
            tokens[name] = arms[name]()
            seconds[name].append(round(time.process_time() - begun, 3))
            print(name, tokens[name], seconds[name][-1], file=sys.stderr, flush=True)
    # Other batches may make other words of a few sentences.
    if max(tokens.values()) > 1.01 * min(tokens.values()):
        raise SystemExit(f"the arms made different numbers of tokens: {tokens}")
    rates = {name: tokens[name] / statistics.median(seconds[name]) for name in ARMS}
    return {
        "sentences": len(sentences),
        "raw_batch_tokens": raw_size,
        "tokens": tokens["raw"],
        "seconds": seconds,
        "tokens_per_second": {name: round(rate, 1) for name, rate in rates.items()},
        "ratio": {name: round(rate / rates["raw"], 3) for name, rate in rates.items()},
    }


def best_raw(
    folder: Path,
    card: ModelCard,
    pair: tuple[str, str],
    sentences: Sequence[str],
    decoding: Decoding,
    options: Any,
) -> tuple[Callable[[], int], int]:
    """CTranslate2 alone with the batches that are fastest on half of the sentences, and their size."""
    import ctranslate2

    family = open_family(folder, card)
    compute_type = "int8" if options.device == "cpu" else "int8_float16"
    translator = ctranslate2.Translator(
        str(folder), device=options.device, compute_type=compute_type, intra_threads=options.threads
    )
    tokens, prefix = family.encode(sentences, *pair), family.prefix(pair[1])

    def translate(chosen: Sequence[list[str]], size: int) -> int:
        found = translator.translate_batch(
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

    took = {}
    for size in (RAW_TOKENS[0], *RAW_TOKENS):  # the first once more: a translator's first run is slow
        begun = time.process_time()
        translate(tokens[::2], size)
        took[size] = time.process_time() - begun
    best = min(took, key=lambda size: took[size])
    return lambda: translate(tokens, best), best


def count(engine: Engine, sentences: Sequence[str], route: Route, decoding: Decoding) -> int:
    """Translate, and count the tokens."""
    found = engine.translate(sentences, route, decoding)
    if any(one.problem for one in found):
        raise SystemExit("a sentence was not translated: take shorter ones")
    return sum(one.tokens for one in found)


def fresh(config: TranslationConfig, scratch: Path) -> Engine:
    """An engine with an empty cache; its model is loaded again, which counts."""
    return Engine(config.model_copy(update={"cache": tempfile.mkdtemp(dir=scratch)}))


def through_beam(config: TranslationConfig, sentences: Sequence[str], route: Route, decoding: Decoding) -> int:
    """Translate requests in a Beam job of one worker, and count the tokens."""
    from apache_beam.ml.inference.base import RunInference

    from pipeline.config import RunnerConfig
    from pipeline.graphs.deal import dealt
    from pipeline.graphs.inference import NAMESPACE, TranslationHandler
    from pipeline.runner import run_job

    parts = [tuple(sentences[start : start + REQUEST]) for start in range(0, len(sentences), REQUEST)]
    requests = [Request(str(index), part, route, decoding) for index, part in enumerate(parts)]

    def build(pipeline: Any) -> None:
        _ = dealt(pipeline, "requests", requests) | RunInference(TranslationHandler(config))

    return run_job(build, RunnerConfig(), 1)[f"{NAMESPACE}/target_tokens"]


def table(result: dict[str, Any]) -> str:
    """Figures as Markdown."""
    lines = ["| arm | tokens/s of processor time | against raw |", "|---|---:|---:|"]
    lines += [f"| {name} | {result['tokens_per_second'][name]:,.0f} | {result['ratio'][name]:.2f} |" for name in ARMS]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
