"""``evenglot prepare`` on the development corpus: correctness against the ground truth, speed and memory.

    python -m benchmarks.prepare --json FILE [--data ../shared/data/corpus] [--quick] [--times 10] [--peer PYTHON]

Every run is a process of its own, started as a user starts it. Rates are documents per CPU second of the whole
process tree, start-up of Python and Beam included, so that they fall on a small corpus. ``--times`` also prepares a
corpus so many times as large, made of the same one with the words of every line in other orders, with one worker and
with two: rates, and how far the memory of worker and driver has grown. ``--peer`` names the interpreter of an
environment with datatrove (``benchmarks.dedup`` says how to build one); its stages for the same work are timed one by
one on documents of the same corpus.

Beam's share is found under Python's profiler, which makes calls dearer than the compiled work below them: it is an
upper bound. A share is the time spent in a package's own functions and in built-in ones that they call.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import pstats
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.boilerplate import boilerplate
from benchmarks.enlarge import enlarge
from benchmarks.machine import machine
from benchmarks.prepare_peer import peer
from benchmarks.truth import Line, join, load_truth, recall_by, share, source_texts
from corpus.manifest import Snapshot, read_snapshot
from corpus.tags import to_tag_or_none

EXPECTED_REASONS = {
    # what was planted -> where it has to land
    "invalid_utf8": {"invalid_utf8", "truncated_json"},
    "truncated_json": {"truncated_json", "invalid_utf8"},  # the cut may fall inside a character
    "unescaped_quote": {"invalid_json"},
    "not_json_record": {"not_a_record", "invalid_json"},
    "lone_surrogate": {"lone_surrogate"},
    "blank_line": {"blank_line"},
    "missing_text": {"read/missing_text"},
    "empty_text": {"read/empty_text", "normalise/empty_text"},
    "non_string_text": {"read/non_string_text"},
}


def run_prepare(data: Path, output: Path, workers: int) -> dict[str, float]:
    """One run in a process of its own: wall and CPU seconds of the process tree and its peak memory."""
    command = [sys.executable, "-m", "evenglot", "prepare", "--input", f"{data}/shard-*.jsonl.zst"]
    command += ["--output", str(output), "--workers", str(workers), "--json"]
    before, started = os.times(), time.monotonic()
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    wall, after = time.monotonic() - started, os.times()
    if finished.returncode:
        raise SystemExit(f"prepare failed:\n{finished.stderr[-4000:]}")
    account = json.loads(next((output / "runs").glob("*.json")).read_text())
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {
        "workers": workers,
        "wall_seconds": wall,
        "cpu_seconds": cpu,
        "peak_memory_bytes": account["peak_memory_bytes"],
        "driver_memory_bytes": account["driver_memory_bytes"],
        "worker_memory_bytes": account["worker_memory_bytes"],
    }


def profiled(data: Path, output: Path) -> dict[str, float]:
    """Share of the time of one run with one worker in each of the packages that take part."""
    seconds: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        found = f"{folder}/profile"
        command = [sys.executable, "-m", "cProfile", "-o", found, "-m", "evenglot", "prepare", "--workers", "1"]
        command += ["--input", f"{data}/shard-*.jsonl.zst", "--output", str(output), "--json"]
        subprocess.run(command, capture_output=True, check=True)
        for (file, _, _), (_, _, own, _, callers) in pstats.Stats(found).stats.items():  # type: ignore[attr-defined]
            if file != "~":
                seconds[package_of(file)] += own
                continue
            called = {caller: times[2] for caller, times in callers.items()}
            for (caller, _, _), time_ in called.items():
                seconds[package_of(caller)] += time_
    total = sum(seconds.values())
    return {package: round(value / total, 4) for package, value in seconds.most_common(8)}


def package_of(file: str) -> str:
    """The package that a source file belongs to; ``python`` for the standard library."""
    parts = Path(file).parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1].removesuffix(".py")
    ours = [part for part in parts if part in ("corpus", "pipeline", "evenglot")]
    return ours[-1] if ours else "python"


def larger(data: Path, root: Path, times: int, small: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The corpus so many times as large with one worker and with two, and what became of rates and memory.

    Args:
        data: the small corpus.
        root: folder for the large one and what is made of it.
        times: how many times as large.
        small: the runs over the small corpus; those with two workers are compared.
    """
    enlarge(data, root / "data", times)
    runs: dict[str, dict[str, Any]] = {}
    hashes = set()
    for name, workers in (("one worker", 1), ("two workers", 2)):
        output = root / name.replace(" ", "-")
        runs[name] = dict(run_prepare(root / "data", output, workers))
        snapshot = read_snapshot(str(output))
        hashes.add(tree_hash(output))
        documents = snapshot.ledger.read
        steps = json.loads(next((output / "runs").glob("*.json")).read_text())
        runs[name] |= {
            "documents": documents,
            "documents_per_cpu_second": round(documents / runs[name]["cpu_seconds"], 1),
            "steps": steps["steps"],
            "stages": steps["stages"],
            "rejected": snapshot.ledger.by_reason(),
        }
        shutil.rmtree(output)
    before, after = small["two-workers"], runs["two workers"]
    return {
        "times": times,
        "runs": runs,
        "identical_bytes": len(hashes) == 1,
        "worker_memory_ratio": round(after["worker_memory_bytes"] / before["worker_memory_bytes"], 3),
        "driver_memory_ratio": round(after["driver_memory_bytes"] / before["driver_memory_bytes"], 3),
        "driver_bytes_per_document": round(
            (after["driver_memory_bytes"] - before["driver_memory_bytes"]) / (documents * (1 - 1 / times))
        ),
    }


def tree_hash(root: Path) -> str:
    """One hash over names and bytes of all files but those that belong to one run alone."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.parent.name != "runs":
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def judge(lines: list[Line], snapshot: Snapshot, texts: Mapping[tuple[str, int], str]) -> dict[str, Any]:
    """Every figure that the ground truth allows.

    Args:
        lines: every line of the corpus with what became of it.
        snapshot: what ``prepare`` made.
        texts: the text that each line had, by shard and number.
    """
    ledger = snapshot.ledger
    return {
        "ledger": {
            "lines": len(lines),
            "read": ledger.read,
            "kept": ledger.kept_total,
            "rejected": ledger.rejected_total,
            "unreadable": ledger.unreadable_total,
            "missing": sum(line.outcome == "missing" for line in lines),
        },
        "broken": broken(lines),
        "labels": labels(lines),
        "wrong_labels": wrong_labels(lines),
        "exact_duplicates": exact_duplicates(lines),
        "clean_lost": clean_lost(lines),
        "junk_rejected": junk(lines),
        "boilerplate": boilerplate(lines, texts),
        "reasons": ledger.by_reason(),
    }


def broken(lines: list[Line]) -> dict[str, Any]:
    """Broken lines and records by kind: how many there are, where they landed, whether that is right."""
    found: dict[str, Any] = {}
    for kind, expected in EXPECTED_REASONS.items():
        landed = Counter(line.reason or line.outcome for line in lines if kind in line.kinds)
        right = sum(count for reason, count in landed.items() if reason in expected)
        found[kind] = {"lines": sum(landed.values()), "right": right, "landed": dict(landed)}
    repeated = {line.id for line in lines if "dup_id" in line.kinds}
    rejected = Counter(line.id for line in lines if line.reason == "deduplicate/repeated_id")
    # Of two records with one id the first in reading order keeps it, whichever of them was planted.
    found["dup_id"] = {"lines": len(repeated), "right": sum(rejected[id_] == 1 for id_ in repeated)}
    return found


def labels(lines: list[Line]) -> dict[str, Any]:
    """Accuracy of the language label on clean documents, kept or not; duplicates count as documents."""
    judged = [line for line in lines if line.clean and line.outcome != "unreadable"]
    by_language = recall_by([(line.true_lang, line.lang == line.true_lang) for line in judged])
    values = [value for value in by_language.values() if value is not None]
    return {
        "documents": len(judged),
        "accuracy": share(sum(line.lang == line.true_lang for line in judged), len(judged)),
        "languages": len(values),
        "macro": round(statistics.mean(values), 5),
        "worst": sorted(by_language.items(), key=lambda item: item[1] or 0)[:5],
    }


def wrong_labels(lines: list[Line]) -> dict[str, Any]:
    """Wrongly declared documents whose identified language is the true one; and false alarms on clean ones."""
    planted = [line for line in lines if "wrong_lang" in line.kinds and line.outcome != "unreadable"]
    differs = [line for line in planted if line.lang != to_tag_or_none(line.declared)]
    right = [line for line in planted if line.lang == line.true_lang]
    clean = [line for line in lines if line.clean and to_tag_or_none(line.declared) == line.true_lang and line.lang]
    false = [line for line in clean if line.lang != line.true_lang]
    return {
        "documents": len(planted),
        "found": share(len(differs), len(planted)),
        "found_with_true_language": share(len(right), len(planted)),
        "false_alarms": share(len(false), len(clean)),
    }


def exact_duplicates(lines: list[Line]) -> dict[str, Any]:
    """Documents whose texts are equal after normalisation, by evenglot's own texts and by what was planted.

    Recall: of the documents that have an equal text before them, the share that was removed. Precision: of the
    removed, the share of whose text one stayed, as far as exact duplicates go.
    """
    removed = [line for line in lines if line.reason == "deduplicate/exact_duplicate"]
    # The one that stays of equal texts may be a near duplicate of a third document, and go for that.
    compared = ("deduplicate/exact_duplicate", "deduplicate/near_duplicate")
    texts = [folded(line) for line in lines if line.text and (line.outcome == "kept" or line.reason in compared)]
    stays = Counter(texts)
    stays.subtract(folded(line) for line in removed)
    true = [line for line in removed if stays[folded(line)] > 0]
    surplus = len(texts) - len(set(texts))
    planted = [line for line in lines if line.kinds & {"exact_dup"}]
    by_id = {line.id: line for line in lines if "dup_id" not in line.kinds}
    equal = [
        (line, of)
        for line in planted
        for plant in line.planted
        if plant["kind"] == "exact_dup"
        and (of := by_id.get(plant["of"])) is not None
        and line.text is not None
        and of.text is not None
        and folded(line) == folded(of)
    ]
    found = [pair for pair in equal if sum(line.outcome == "kept" for line in pair) < 2]
    return {
        "removed": len(removed),
        "recall": share(len(removed), surplus),
        "precision": share(len(true), len(removed)),
        "planted": len(planted),
        "planted_equal_after_normalisation": len(equal),
        "planted_found": share(len(found), len(equal)),
    }


def folded(line: Line) -> str:
    """The text with white space folded."""
    return " ".join((line.text or "").split())


def clean_lost(lines: list[Line]) -> dict[str, Any]:
    """Clean documents that were rejected for anything but being a duplicate."""
    clean = [line for line in lines if line.clean]
    lost = [line for line in clean if line.outcome != "kept" and not (line.reason or "").startswith("deduplicate/")]
    by_language = recall_by([(line.true_lang, line in lost) for line in clean])
    return {
        "documents": len(clean),
        "lost": share(len(lost), len(clean)),
        "reasons": dict(Counter(line.reason or line.outcome for line in lost).most_common()),
        "worst": sorted(by_language.items(), key=lambda item: -(item[1] or 0))[:5],
    }


def junk(lines: list[Line]) -> dict[str, Any]:
    """Planted junk that was not kept, by kind."""
    found = [
        (str(plant.get("how", plant["kind"])), line.outcome != "kept")
        for line in lines
        for plant in line.planted
        if plant["kind"] in ("junk", "very_long_repetition")
    ]
    return {
        "documents": len(found),
        "rejected": share(sum(hit for _, hit in found), len(found)),
        "kinds": recall_by(found),
    }


def main() -> None:
    """Run, judge, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, help="file for all figures")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/corpus"), help="folder of the corpus")
    parser.add_argument("--quick", action="store_true", help="one run only: no comparison of bytes")
    parser.add_argument("--times", type=int, default=1, help="also prepare a corpus so many times as large")
    parser.add_argument("--workers", type=int, nargs="*", default=[2, 4], help="also run with so many workers")
    parser.add_argument("--peer", type=Path, help="Python of an environment with datatrove")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = {2: "two-workers", 4: "four-workers"}
        several = [(names.get(count, f"{count}-workers"), count) for count in arguments.workers]
        layout = [("first", 1)] if arguments.quick else [("first", 1), ("second", 1), *several]
        runs = {name: run_prepare(arguments.data, root / name, workers) for name, workers in layout}
        hashes = {name: tree_hash(root / name) for name, _ in layout}
        snapshot = read_snapshot(str(root / "first"))
        lines = load_truth(arguments.data)
        join(lines, str(root / "first"), snapshot)
        account = json.loads(next((root / "first" / "runs").glob("*.json")).read_text())
        documents = snapshot.ledger.read
        result = {
            "machine": machine(),
            "runs": runs,
            "documents_per_cpu_second": {name: round(documents / run["cpu_seconds"], 1) for name, run in runs.items()},
            "stages": account["stages"],
            "steps": account["steps"],
            "identical_bytes": len(set(hashes.values())) == 1,
            "datasets_rows": datasets_rows(root / "first"),
            "quality": judge(list(lines.values()), snapshot, source_texts(arguments.data)),
        }
        if not arguments.quick:
            result["shares"] = profiled(arguments.data, root / "profiled")
        if arguments.times > 1 and "two-workers" in runs:
            result["larger"] = larger(arguments.data, root / "larger", arguments.times, runs)
        if arguments.peer:
            texts = [text for text in source_texts(arguments.data).values() if text.strip()]
            result["peer"] = peer(arguments.peer, texts, 1 if arguments.quick else 2)
            ours = result["documents_per_cpu_second"]["first"]
            result["ratio_to_peer"] = round(ours / result["peer"]["documents_per_cpu_second"], 2)
    arguments.json.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1, ensure_ascii=False))


def datasets_rows(root: Path) -> int:
    """Rows of all text shards as `datasets` reads them."""
    import datasets

    with tempfile.TemporaryDirectory() as cache:
        files = sorted(str(path) for path in (root / "text").rglob("*.arrow"))
        loaded = datasets.load_dataset("arrow", data_files=files, split="train", cache_dir=cache)
        return int(loaded.num_rows)


if __name__ == "__main__":
    main()
