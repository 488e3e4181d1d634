"""Daily runs on the development corpus: the last of its files added to the others, beside one run over all.

    python -m benchmarks.append --json FILE

What is asked: duplicates that lie across the two days are found as in one run, against the ground truth; the second
day costs what its own documents cost; no byte of the first day's files changes; the corpus verifies; the same day
again does nothing. Seconds are processor seconds of one worker.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.machine import machine
from benchmarks.truth import Line, join, load_truth, share

if TYPE_CHECKING:
    from corpus.manifest import Snapshot

FIRST, SECOND = "shard-0[0-6].jsonl.zst", "shard-07.jsonl.zst"
CLEAR = 0.7
"""Jaccard similarity from which on a planted near duplicate must be found."""


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.append", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with corpus/")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="evenglot-benchmark-") as folder:
        report = measure(options.data / "corpus", Path(folder))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name in ("one_run", "two_days"):
        found = report[name]["duplicates_across"]
        print(f"{name}: kept {report[name]['kept']:,}, found across days: {found}")
    print(f"seconds: {report['seconds']}, unchanged files: {report['unchanged_files']}, problems: {report['problems']}")
    return 0


def measure(corpus: Path, folder: Path) -> dict[str, Any]:
    """All figures."""
    from corpus.hashing import file_hash
    from evenglot.verify.corpus_files import verify_corpus

    seconds: dict[str, float] = {}
    one = str(folder / "one")
    two = folder / "two"
    whole = run(corpus, "shard-0*.jsonl.zst", one, seconds, "one run over all")
    first = run(corpus, FIRST, str(two), seconds, "first day")
    before = {file.path: file_hash(two / file.path) for file in first.files}
    second = run(corpus, SECOND, str(two), seconds, "second day")
    after = {path: file_hash(two / path) for path in before}
    again = run(corpus, SECOND, str(two), seconds, "second day again")
    added = second.added.read if second.added else 0
    return {
        "benchmark": "append",
        "machine": machine(),
        "settings": {"first": FIRST, "second": SECOND, "read": [first.ledger.read, added]},
        "seconds": seconds,
        "documents_per_second": {
            "one run over all": round(whole.ledger.read / seconds["one run over all"], 1),
            "second day": round(added / seconds["second day"], 1),
        },
        "one_run": outcome(corpus, one, whole),
        "two_days": outcome(corpus, str(two), second),
        "unchanged_files": before == after,
        "nothing_done_again": again.number == second.number,
        "problems": verify_corpus(str(two)).problems,
    }


def run(corpus: Path, pattern: str, output: str, seconds: dict[str, float], name: str) -> Snapshot:
    """Prepare some files, going on with what is there."""
    from pipeline.config import PrepareConfig
    from pipeline.prepare import prepare
    from pipeline.sources import InputConfig

    started = time.process_time()
    inputs = [InputConfig(path=str(corpus / pattern), name="corpus")]
    snapshot = prepare(inputs, output, PrepareConfig(append=True), workers=1)
    seconds[name] = round(time.process_time() - started, 2)
    return snapshot


def outcome(corpus: Path, output: str, snapshot: Snapshot) -> dict[str, Any]:
    """Documents kept, and which of the duplicates whose original lies in the other day were found."""
    lines = load_truth(corpus)
    join(lines, output, snapshot)
    by_id = {line.id: line for line in lines.values() if line.id}
    found: dict[str, list[bool]] = {"exact": [], "near, clear": [], "near, less alike": []}
    for line in lines.values():
        for plant in line.planted:
            original = by_id.get(str(plant.get("of")))
            if plant["kind"] not in ("exact_dup", "near_dup") or original is None or later(line) == later(original):
                continue
            kind = "exact" if plant["kind"] == "exact_dup" else "near, clear"
            if kind != "exact" and (plant.get("jaccard") or 0) < CLEAR:
                kind = "near, less alike"
            outcomes = (line.outcome, original.outcome)
            if "missing" not in outcomes and outcomes.count("rejected") + outcomes.count("kept") == len(outcomes):
                found[kind].append(outcomes != ("kept", "kept"))
    return {
        "kept": snapshot.ledger.kept_total,
        "duplicates_across": {
            kind: [sum(hits), len(hits), share(sum(hits), len(hits))] for kind, hits in found.items()
        },
    }


def later(line: Line) -> bool:
    """Whether a line belongs to the second day."""
    return line.shard.startswith(SECOND.partition(".")[0])


if __name__ == "__main__":
    raise SystemExit(main())
