"""Decontamination on the development corpus: evaluation sentences planted in documents, found, and at what cost.

    python -m benchmarks.decontaminate --json FILE [--quick]

The development corpus holds no sentence of the evaluation sets beside it (nothing of eight words), so every document
that is rejected before planting is a false hit, unless its shared text is shown. Sentences are then planted in the
middle of clean documents of their language: as they are, in capitals with other punctuation, and with one word in
eight replaced by another, which leaves few runs of thirteen. Cost is CPU seconds of one process, documents with and
without the stage taking turns.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.machine import machine
from benchmarks.truth import decompressed, load_truth

if TYPE_CHECKING:
    import pyarrow as pa

SETS = ("tico19", "stories", "bible_pd")
BATCH_BYTES = 4 << 20
PLANTED = 40
"""Sentences planted for each language and kind of change."""


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decontaminate", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with corpus/ and parallel/")
    parser.add_argument("--repeats", type=int, default=5, help="repeats of the speed measurement")
    parser.add_argument("--quick", action="store_true", help="a quarter of the documents, two repeats")
    options = parser.parse_args(arguments)
    documents = clean_documents(options.data / "corpus")
    if options.quick:
        documents = documents[::4]
    with tempfile.TemporaryDirectory(prefix="evenglot-benchmark-") as folder:
        report = measure(documents, sentences(options.data / "parallel"), Path(folder), options)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{report['speed']['microseconds_per_document']['median']:.1f} microseconds per document")
    print(f"{report['unplanted']['hits']} of {report['unplanted']['documents']} unplanted documents hit")
    for how, found in report["planted"].items():
        print(f"{how:<10} recall {found['recall']:.4f} of {found['documents']}, right item {found['right_item']:.4f}")
    return 0


def clean_documents(corpus: Path) -> list[tuple[str, str]]:
    """(language, text) of the documents with nothing wrong."""
    truth = load_truth(corpus)
    found = []
    for path in sorted(corpus.glob("shard-*.jsonl.zst")):
        shard, offset = path.name.removesuffix(".zst"), 0
        for raw in decompressed(path).split(b"\n")[:-1]:
            line = truth[shard, offset]
            offset += len(raw) + 1
            if line.clean:
                found.append((line.true_lang, json.loads(raw.removeprefix(b"\xef\xbb\xbf"))["text"]))
    return found


def sentences(parallel: Path) -> list[dict[str, str]]:
    """Every test sentence of every language, once for each language and set."""
    found = []
    for name in SETS:
        for line in decompressed(parallel / f"{name}.jsonl.zst").splitlines():
            unit = json.loads(line)
            if unit["split"] == "test":
                found += [
                    {"id": f"{unit['id']}/{lang}", "lang": lang, "text": text} for lang, text in unit["text"].items()
                ]
    return found


def measure(
    documents: Sequence[tuple[str, str]], items: Sequence[dict[str, str]], folder: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """Index the items, look for them in documents without and with planted sentences, time it."""
    from corpus.storage import Storage
    from pipeline.config import PrepareConfig
    from pipeline.decontaminate.config import DecontaminateConfig
    from pipeline.decontaminate.index import Lookup, build_index, column
    from pipeline.decontaminate.items import normal_items, read_evaluation
    from pipeline.decontaminate.stage import DecontaminateStage, by_document
    from pipeline.language_id.stage import IdentifyStage
    from pipeline.sources import InputConfig
    from pipeline.stages import item_stages

    path = folder / "items.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    config = DecontaminateConfig(files=(InputConfig(path=str(path)),))
    repairs = item_stages(PrepareConfig())
    started = time.process_time()
    evaluation = read_evaluation(config)
    index = build_index(normal_items(evaluation.items, repairs, IdentifyStage()), config)
    index.write(Storage(folder))
    build_seconds = time.process_time() - started
    lookup, stage = Lookup(index, config), DecontaminateStage(config, str(folder))

    def normal(texts: Sequence[str]) -> list[pa.RecordBatch]:
        return [repairs[0](batch).kept for batch in batches(texts)]

    plain = normal([text for _, text in documents])
    stage(plain[0])  # tables and index
    times = []
    for _ in range(2 if options.quick else options.repeats):
        started = time.process_time()
        outcomes = [stage(batch) for batch in plain]
        times.append((time.process_time() - started) / len(documents) * 1e6)
    hits = [row for outcome in outcomes if outcome.rejected for row in outcome.rejected.column("detail").to_pylist()]
    ngrams: dict[str, int] = dict(zip(index.items.column("id").to_pylist(), lookup.sizes.tolist(), strict=True))
    planted = {}
    for how in ("as_is", "surface", "words"):
        texts, expected = plant(documents, items, ngrams, how)
        found: list[str | None] = []
        for batch in normal(texts):
            by_row = by_document(lookup.find(batch.column("text")), lookup)
            found += [lookup.item_id(by_row[row].item) if row in by_row else None for row in range(batch.num_rows)]
        planted[how] = judge(expected, found)
    return {
        "benchmark": "decontaminate",
        "machine": machine(),
        "settings": {"documents": len(documents), "words": config.words, "min_words": config.min_words},
        "items": {
            "read": len(items),
            "usable": int((column(index.items, "ngrams") > 0).sum()),
            "ngrams": len(lookup.hashes),
            "build_seconds": round(build_seconds, 2),
        },
        "speed": {
            "microseconds_per_document": {
                "median": round(statistics.median(times), 1),
                "repeats": [round(value, 1) for value in times],
            }
        },
        "unplanted": {"documents": len(documents), "hits": len(hits), "examples": hits[:20]},
        "planted": planted,
    }


def batches(texts: Sequence[str]) -> list[pa.RecordBatch]:
    """Texts in record batches of about BATCH_BYTES."""
    import pyarrow as pa

    found, rows, size = [], [], 0
    for number, text in enumerate(texts):
        rows.append(text)
        size += len(text.encode())
        if size >= BATCH_BYTES or number == len(texts) - 1:
            found.append(pa.RecordBatch.from_pydict({"text": pa.array(rows, pa.string())}))
            rows, size = [], 0
    return found


def plant(
    documents: Sequence[tuple[str, str]], items: Sequence[dict[str, str]], ngrams: dict[str, int], how: str
) -> tuple[list[str], list[tuple[str, str]]]:
    """Documents with a usable sentence of their language put in the middle, and (language, item) of each."""
    draw = random.Random(1)
    of_language: dict[str, list[str]] = defaultdict(list)
    for lang, text in documents:
        of_language[lang].append(text)
    chosen: Counter[str] = Counter()
    texts, expected = [], []
    for item in sorted(items, key=lambda item: draw.random()):
        lang = item["lang"]
        if not of_language[lang] or not ngrams.get(item["id"]) or chosen[lang] == PLANTED:
            continue
        chosen[lang] += 1
        host = draw.choice(of_language[lang])
        cut = host.find(" ", len(host) // 2)
        cut = len(host) // 2 if cut < 0 else cut
        texts.append(f"{host[:cut]}\n{changed(item['text'], how, draw)}\n{host[cut:]}")
        expected.append((lang, item["id"]))
    return texts, expected


def changed(text: str, how: str, draw: random.Random) -> str:
    """The sentence as it is planted."""
    if how == "surface":
        return text.upper().replace(",", " -").replace(".", "!").replace(" ", "  ")
    if how == "words":
        words = text.split(" ")
        if len(words) < 4:  # a script without spaces
            letters = [draw.choice(text) if draw.random() < 1 / 24 else letter for letter in text]
            return "".join(letters)
        return " ".join(draw.choice(words) if draw.random() < 1 / 8 else word for word in words)
    return text


def judge(expected: Sequence[tuple[str, str]], found: Sequence[str | None]) -> dict[str, Any]:
    """Shares of planted sentences that were found, and found as what they are."""
    hits: dict[str, list[bool]] = defaultdict(list)
    for (lang, _), item in zip(expected, found, strict=True):
        hits[lang].append(item is not None)
    right = sum(item == name for (_, name), item in zip(expected, found, strict=True))
    return {
        "documents": len(expected),
        "recall": sum(sum(values) for values in hits.values()) / len(expected),
        "right_item": right / len(expected),
        "by_language": {lang: round(sum(values) / len(values), 4) for lang, values in sorted(hits.items())},
    }


if __name__ == "__main__":
    raise SystemExit(main())
