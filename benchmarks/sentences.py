"""Sentence ends found in running text of 122 languages, and the time it takes.

    python -m benchmarks.sentences --json FILE [--quick] [--data ../shared/data]

The sentences of each document of NTREX-128 are put together with a space (Chinese, Japanese: without one) and cut
again. Some, headlines above all, end without a mark, so that no rule finds every end. Beside ours: sentencex alone, and
the rule that language identification cuts by (final marks before white space).
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zstandard

from benchmarks.machine import machine
from corpus.tags import script_of
from pipeline.language_id.sentences import sentences as by_marks
from pipeline.sentences.codes import splitter_code
from pipeline.sentences.layout import Layout
from pipeline.sentences.split import split

NO_LIMIT = 1 << 30
SPACELESS = ("Hans", "Hant", "Jpan")
DOCUMENTS = 40
Cutter = Callable[[str, str], set[int]]


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sentences", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with lid/")
    parser.add_argument("--quick", action="store_true", help="four documents")
    options = parser.parse_args(arguments)
    documents: dict[str, list[dict[str, str]]] = defaultdict(list)
    with zstandard.open(options.data / "lid/ntrex128.jsonl.zst", "rb") as raw:
        for line in io.TextIOWrapper(raw, encoding="utf-8"):
            row = json.loads(line)
            documents[row["doc"]].append(row["text"])
    chosen = [documents[name] for name in sorted(documents)][: 4 if options.quick else DOCUMENTS]
    cutters: dict[str, Cutter] = {"ours": ours, "sentencex": theirs, "marks": marks}
    found = {name: judged(chosen, cutter) for name, cutter in cutters.items()}
    report = {"benchmark": "sentences", "machine": machine(), "documents": len(chosen), **found}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name, one in found.items():
        print(
            f"{name:10} F1 mean {one['mean']:.3f} median {one['median']:.3f} lowest {one['lowest']}, "
            f"{one['microseconds_per_sentence']} us a sentence",
            file=sys.stderr,
        )
    return 0


def judged(documents: list[list[dict[str, str]]], cutter: Cutter) -> dict[str, Any]:
    """F1 of the ends by language, and CPU time."""
    scores: dict[str, float] = {}
    spent, count = 0.0, 0
    for lang in sorted(documents[0][0]):
        hits = given = wanted = 0
        for document in documents:
            text, ends = together([" ".join(row.get(lang, "").split()) for row in document], lang)
            started = time.process_time()
            cut = cutter(text, lang)
            spent += time.process_time() - started
            count += len(cut) + 1
            hits, given, wanted = hits + len(cut & ends), given + len(cut), wanted + len(ends)
        scores[lang] = round(2 * hits / max(given + wanted, 1), 4)
    lowest = sorted(scores, key=lambda lang: scores[lang])[:3]
    return {
        "mean": round(statistics.mean(scores.values()), 4),
        "median": round(statistics.median(scores.values()), 4),
        "lowest": {lang: scores[lang] for lang in lowest},
        "languages": scores,
        "microseconds_per_sentence": round(spent / count * 1e6, 1),
    }


def together(sentences: list[str], lang: str) -> tuple[str, set[int]]:
    """Sentences as one line, and where all but the last end in it."""
    gap = "" if script_of(lang) in SPACELESS else " "
    ends: set[int] = set()
    position = 0
    given = [sentence for sentence in sentences if sentence]
    for sentence in given[:-1]:
        position += len(sentence)
        ends.add(position)
        position += len(gap)
    return gap.join(given), ends


def ours(text: str, lang: str) -> set[int]:
    """Ends by ``pipeline.sentences``, overlong sentences left whole."""
    return ends_of(split(text, lang, longest=NO_LIMIT))


def ends_of(layout: Layout) -> set[int]:
    """Where the sentences of a layout end, the last one left out."""
    ends: list[int] = []
    position, row = len(layout.between[0]), 0
    for number, line in enumerate(layout.lines):
        position += len(line.lead)
        for gap in (*line.gaps, layout.between[number + 1]):
            position += len(layout.sentences[row])
            ends.append(position)
            position += len(gap)
            row += 1
    return set(ends[:-1])


def theirs(text: str, lang: str) -> set[int]:
    """Ends by sentencex as it is."""
    import sentencex

    ends, position = set(), 0
    for piece in sentencex.segment(splitter_code(lang), text)[:-1]:
        position += len(piece)
        ends.add(len(text[:position].rstrip()))
    return ends


def marks(text: str, lang: str) -> set[int]:
    """Ends by final marks before white space."""
    return {len(text[:bound].rstrip()) for bound in by_marks(text, NO_LIMIT)[1:-1]}


if __name__ == "__main__":
    sys.exit(main())
