"""Language identification: how right and how fast.

    python -m benchmarks.language_id --json FILE [--quick] [--data ../shared/data] [--model NAME ...]

Documents used in training are never scored unless the figure says so. Speed is documents per CPU second of one
process over whole documents, the median of several repeats, models in turn within one run.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import sys
import time
import unicodedata
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.language_id.config import DEFAULT_MODEL, IdentifyConfig
from pipeline.language_id.evaluate import Scores, score_corpus, score_no_language, score_udhr
from pipeline.language_id.model import BUILTIN_FILE, LanguageModel, load_model
from pipeline.language_id.sources import corpus_documents

QUICK_DOCUMENTS = 2_000


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.language_id", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with corpus/ and eval/")
    parser.add_argument("--model", action="append", help="model to measure: name, path or hub id; may be repeated")
    parser.add_argument("--repeats", type=int, default=5, help="repeats of the speed measurement")
    parser.add_argument("--quick", action="store_true", help="fewer documents and repeats for speed")
    options = parser.parse_args(arguments)
    names: list[str] = options.model or [DEFAULT_MODEL]
    documents = [unicodedata.normalize("NFC", document.text) for document in corpus_documents(options.data)]
    if options.quick:
        documents = documents[:QUICK_DOCUMENTS]
    repeats = 2 if options.quick else options.repeats
    models = {name: load_model(name) for name in names}
    config = IdentifyConfig()
    speeds: dict[str, list[float]] = {name: [] for name in names}
    for name, model in models.items():
        model.predict(documents[:100], config)
        print(f"{name}: {len(model.tags)} languages", file=sys.stderr)
    for _ in range(repeats):
        for name, model in models.items():
            start = time.process_time()
            for first in range(0, len(documents), 500):
                model.predict(documents[first : first + 500], config)
            speeds[name].append(len(documents) / (time.process_time() - start))
    results = {name: _accuracy(model, options.data, config) for name, model in models.items()}
    for name in names:
        results[name]["documents_per_cpu_second"] = {
            "median": round(statistics.median(speeds[name]), 1),
            "repeats": [round(speed, 1) for speed in speeds[name]],
        }
        results[name]["licence"] = models[name].licence
        path = BUILTIN_FILE if name == DEFAULT_MODEL else Path(name)
        results[name]["model_bytes"] = path.stat().st_size if path.is_file() else None
    report = {
        "benchmark": "language_id",
        "machine": {"platform": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("fasttext-community", "numpy", "pyarrow")},
        "settings": {
            "config": config.model_dump(),
            "documents_timed": len(documents),
            "bytes_per_document": round(
                sum(len(text.encode("utf-8", "replace")) for text in documents) / max(1, len(documents)), 1
            ),
        },
        "models": results,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name in names:
        print(
            json.dumps({name: {key: value for key, value in results[name].items() if key != "per_language"}}, indent=1)
        )
    return 0


def _accuracy(model: LanguageModel, data: Path, config: IdentifyConfig) -> dict[str, Any]:
    unseen, every, wrong = score_corpus(model, data, config)
    declaration = score_udhr(model, data, config)
    rubbish, marked, unlabelled = score_no_language(model, data, config)
    return {
        "no_language": {
            "count": rubbish,
            "labelled_zxx": round(marked, 4),
            "labelled_zxx_or_und": round(unlabelled, 4),
        },
        "clean_documents_unseen": _summary(unseen),
        "clean_documents_all": _summary(every),
        "wrong_labels_unseen": dataclasses.asdict(wrong),
        "udhr_test_sentences": _summary(declaration),
        "per_language": {
            "clean_documents_unseen": {tag: dataclasses.asdict(entry) for tag, entry in unseen.languages.items()},
            "udhr_test_sentences": {tag: dataclasses.asdict(entry) for tag, entry in declaration.languages.items()},
        },
    }


def _summary(scores: Scores) -> dict[str, Any]:
    return {
        "count": scores.count,
        "languages": len(scores.languages),
        "accuracy": round(scores.accuracy, 4),
        "macro_recall": round(scores.macro_recall, 4),
        "macro_f1": round(scores.macro_f1, 4),
        "worst": {
            tag: round(entry.f1, 3)
            for tag, entry in sorted(scores.languages.items(), key=lambda item: (item[1].f1, item[0]))[:10]
        },
        "confusions": scores.confusions[:10],
    }


if __name__ == "__main__":
    sys.exit(main())
