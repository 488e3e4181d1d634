"""The sampler: packed tokens per CPU second, start, resume and size of the state.

    python -m benchmarks.sampler --json FILE [--quick]

Corpora are made up and written to a temporary folder: documents of lognormal lengths (mean about 300 tokens,
sigma 0.6, 16 to 2,048), 8 languages of very different size, and 1,000 languages whose sizes follow Zipf's law.
Rows of 1,024 tokens are read in batches of 32 under a temperature mixture (alpha 0.3). All figures are of one
process; CPU seconds count all its threads. The cases take turns, so that noise meets all alike.
Reading random windows from the same files, without documents, mixture or order, is measured beside them as the
most that is possible.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.machine import machine
from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, commit
from corpus.schema import token_schema
from corpus.shards import ShardWriter
from corpus.storage import Storage
from sampler import CurriculumStream, SamplerConfig
from sampler.index import TokenCorpus

ROWS = 32
CONFIG = SamplerConfig(row_tokens=1024, mixture="temperature", alpha=0.3)
EIGHT = (100_000, 50_000, 25_000, 12_000, 7_000, 4_000, 1_500, 500)
FAR = 1_000_000
"""Global row at which runs are resumed."""


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sampler", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--repeats", type=int, default=7, help="measurements of each case")
    parser.add_argument("--quick", action="store_true", help="a tenth of the documents and fewer rows and repeats")
    options = parser.parse_args(arguments)
    shrink = 10 if options.quick else 1
    repeats = 3 if options.quick else options.repeats
    batches = 100 if options.quick else 400
    with tempfile.TemporaryDirectory(prefix="evenglot-benchmark-") as folder:
        cases = {
            "8 languages": made_up(Path(folder) / "eight", [size // shrink for size in EIGHT]),
            "1000 languages": made_up(
                Path(folder) / "thousand", [max(20, 20_000 // shrink // rank) for rank in range(1, 1001)]
            ),
        }
        measured: dict[str, list[dict[str, float]]] = {name: [] for name in cases}
        plain: list[float] = []
        for repeat in range(repeats):
            plain.append(windows(cases["8 languages"][0], batches))
            for name, (root, _) in cases.items():
                measured[name].append(measure(root, batches, repeat))
    results = {
        name: {
            "documents": documents,
            **{
                figure: {
                    "median": statistics.median(one[figure] for one in measured[name]),
                    "repeats": [one[figure] for one in measured[name]],
                }
                for figure in measured[name][0]
            },
        }
        for name, (_, documents) in cases.items()
    }
    speeds = [results[name]["million_tokens_per_cpu_second"]["median"] for name in ("8 languages", "1000 languages")]
    report = {
        "benchmark": "sampler",
        "machine": machine(),
        "settings": {
            "config": CONFIG.model_dump(mode="json"),
            "batch_rows": ROWS,
            "rows_read": batches * ROWS,
            "resumed_at_row": FAR,
            "quick": options.quick,
        },
        "cases": results,
        "random_windows_million_tokens_per_cpu_second": {"median": statistics.median(plain), "repeats": plain},
        "ratios": {
            "8 languages over 1000 languages": round(speeds[0] / speeds[1], 3),
            "8 languages over random windows": round(speeds[0] / statistics.median(plain), 3),
        },
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "peers": "none measured",
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name, figures in results.items():
        medians = {figure: value["median"] for figure, value in figures.items() if isinstance(value, dict)}
        print(f"{name}: {medians}", file=sys.stderr)
    return 0


def measure(root: str, batches: int, repeat: int) -> dict[str, float]:
    """One start, one stretch of rows and one resume."""
    begun = time.perf_counter()
    stream = CurriculumStream(root, tokenizer="spm", config=CONFIG, seed=repeat)
    stream.rows(range(ROWS))
    start = time.perf_counter() - begun
    # Every language's shards are mapped and its first documents permuted once before the clock runs.
    for first in range(0, 64 * 256, 1024):
        stream.rows(range(first, first + 1024, 4))
    wall, cpu = time.perf_counter(), time.process_time()
    tokens = 0
    for batch in range(batches):
        first = 64 * 256 + batch * ROWS
        tokens += stream.rows(range(first, first + ROWS)).tokens.size
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    text = json.dumps(stream.state(FAR))
    begun = time.perf_counter()
    resumed = CurriculumStream(root, tokenizer="spm", config=CONFIG, seed=repeat)
    resumed.load_state(json.loads(text))
    resumed.rows(range(FAR, FAR + ROWS))
    return {
        "million_tokens_per_cpu_second": round(tokens / cpu / 1e6, 2),
        "million_tokens_per_second": round(tokens / wall / 1e6, 2),
        "start_seconds": round(start, 4),
        "resume_seconds": round(time.perf_counter() - begun, 4),
        "state_bytes": len(text),
    }


def windows(root: str, batches: int) -> float:
    """Million tokens per CPU second of reading random windows of one language: no documents, mixture or order."""
    corpus = TokenCorpus(root, "spm", "train")
    runs = [run.tokens for run in corpus.documents(corpus.languages[0]).runs]
    length = CONFIG.row_tokens
    random = np.random.default_rng(0)
    begun = time.process_time()
    for _ in range(batches):
        batch = np.empty((ROWS, length), dtype=np.int64)
        for row in batch:
            tokens = runs[int(random.integers(len(runs)))]
            first = int(random.integers(len(tokens) - length))
            row[:] = tokens[first : first + length]
    return round(batches * ROWS * length / (time.process_time() - begun) / 1e6, 2)


def made_up(root: Path, sizes: list[int]) -> tuple[str, int]:
    """Write token shards of made-up documents.

    Args:
        root: of the corpus.
        sizes: documents of each language.

    Returns:
        the root, and the number of documents.
    """
    storage = Storage(root)
    random = np.random.default_rng(0)
    files, languages = [], {}
    for number, size in enumerate(sizes):
        lang = "".join(chr(97 + number // 26**place % 26) for place in (2, 1, 0)) + "_Latn"
        lengths = np.clip(random.lognormal(np.log(300) - 0.18, 0.6, size), 16, 2048).astype(np.int64)
        name = f"tokens/spm/{lang}/000001-train-00000.arrow"
        with storage.create(name) as path, ShardWriter(path, token_schema(1 << 16)) as writer:
            for first in range(0, size, 1024):
                writer.write(batch_of(lengths[first : first + 1024], random))
        files.append(ShardFile(path=name, kind="tokens", lang=lang, split="train", tokenizer="spm", rows=size))
        languages[lang] = LanguageEvidence(documents=size, tokens={"spm": int(lengths.sum())})
    kept = {lang: known.documents for lang, known in languages.items()}
    snapshot = Snapshot(
        number=1,
        made_by="tokenize",
        languages=languages,
        mixtures={},
        mixture="temperature",
        ledger=Ledger(read=sum(sizes), kept=kept, rejected={}, unreadable={}),
        tokenizers={"spm": {"vocabulary": 1 << 16, "special": {"pad": 0, "unk": 1, "bos": 2, "eos": 3, "mask": 4}}},
        files=files,
    )
    commit(storage, snapshot, {})
    return str(root), sum(sizes)


def batch_of(lengths: NDArray[np.int64], random: np.random.Generator) -> pa.RecordBatch:
    """A record batch of random tokens."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    values = pa.array(random.integers(5, 1 << 16, int(offsets[-1]), dtype=np.uint16))
    schema = token_schema(1 << 16)
    lists: Any = pa.ListArray.from_arrays(pa.array(offsets), values, type=schema.field("tokens").type)
    ids = pa.array([f"{number:032x}" for number in range(len(lengths))])
    return pa.RecordBatch.from_arrays([ids, lists, pa.array((lengths * 4).astype(np.int32))], schema=schema)


if __name__ == "__main__":
    raise SystemExit(main())
