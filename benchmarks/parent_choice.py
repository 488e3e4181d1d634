"""What the choice of parents covers, on real text, beside the same bytes taken by hash.

    python -m benchmarks.parent_choice --json FILE [--data ../shared/data]

Coverage: different words and character 5-grams, counted as strings, of parents chosen from all clean English documents
at three sizes, relative to the mean of several choices by hash. Topics: how well groups agree with the true books and
sites. Lacking: the target has children's stories alone; their English side stands for its text in translation. Of what
is chosen: the share of stories, and the words that the target's text does not have. Cost: CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import regex

from benchmarks.machine import machine
from benchmarks.sources import Document, clean_documents, translations
from corpus.hashing import stable_hash
from pipeline.parents.choose import Choice, Pool, choose
from pipeline.parents.config import ParentsConfig
from pipeline.parents.sketch import merge, sketch, term_sketches
from pipeline.parents.topics import Topics, find_topics

SIZES = (100_000, 400_000, 1_000_000)
DRAWS = 5
STORIES = ("asp", "pb")
_WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and write its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parent_choice", description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write the figures to")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with corpus/ and parallel/")
    options = parser.parse_args(arguments)
    config = ParentsConfig()
    documents = {document.id: document for document in clean_documents(options.data)["eng_Latn"]}
    started = time.process_time()
    sketches = merge([sketch(records([*documents.values()]), "eng", 0, config)], config.documents)
    sketched = time.process_time()
    topics = find_topics(sketches, config)
    found = time.process_time()
    stories = translations(options.data, "stories")
    own = [text for doc, text in stories["eng_Latn"].items() if doc in stories["swh_Latn"]]
    report: dict[str, Any] = {
        "benchmark": "parent_choice",
        "machine": machine(),
        "documents": sketches.num_rows,
        "bytes": sum(sketches.column("bytes").to_pylist()),
        "cpu_seconds": {"sketch": round(sketched - started, 2), "topics": round(found - sketched, 2)},
        "topics": agreement(topics, documents),
        "coverage": {str(size): coverage(topics, documents, size, config) for size in SIZES},
        "lacking": lacking(topics, documents, own, config),
    }
    options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({name: report[name] for name in ("cpu_seconds", "topics", "coverage", "lacking")}, indent=1))
    return 0


def records(documents: Sequence[Document]) -> pa.RecordBatch:
    """Documents as a text shard has them."""
    count = len(documents)
    return pa.record_batch(
        {
            "id": pa.array([document.id for document in documents]),
            "text": pa.array([document.text for document in documents]),
            "split": pa.array(["train"] * count),
            "origin": pa.array(["natural"] * count),
            "quality": pa.array([None] * count, pa.float32()),
        }
    )


def agreement(topics: Topics, documents: dict[str, Document]) -> dict[str, float]:
    """Normalised mutual information of groups and sources, and the share of documents of a group's main source."""
    from sklearn.metrics import normalized_mutual_info_score

    sources = np.array([documents[name].source for name in topics.sketches.column("id").to_pylist()])
    majority = sum(
        np.unique(sources[topics.topic == number], return_counts=True)[1].max(initial=0)
        for number in range(topics.count)
    )
    largest = np.unique(sources, return_counts=True)[1].max()
    return {
        "topics": topics.count,
        "mutual_information": round(float(normalized_mutual_info_score(sources, topics.topic)), 3),
        "majority": round(float(majority / len(sources)), 3),
        "largest_source": round(float(largest / len(sources)), 3),
    }


def coverage(topics: Topics, documents: dict[str, Document], size: int, config: ParentsConfig) -> dict[str, float]:
    """Words and 5-grams of a choice relative to those of choices by hash of the same size."""
    by_hash = [counted(drawn(topics, size, draw), documents) for draw in range(DRAWS)]
    words, grams = (float(np.mean([one[place] for one in by_hash])) for place in (0, 1))
    spread = float(np.std([one[0] for one in by_hash]) / words)
    mine = counted(ids(choose(Pool.of(topics), size, config)), documents)
    return {"words": round(mine[0] / words, 3), "grams": round(mine[1] / grams, 3), "spread": round(spread, 3)}


def lacking(
    topics: Topics, documents: dict[str, Document], own: Sequence[str], config: ParentsConfig
) -> dict[str, dict[str, float]]:
    """What is chosen for a language that has stories alone."""
    size, natural = 400_000, sum(len(text.encode()) for text in own)
    known = {word for text in own for word in _WORD.findall(text.lower())}
    seen = term_sketches(pa.array(own))
    arms = {
        "by hash": drawn(topics, size, 0),
        "diversity alone": ids(choose(Pool.of(topics), size, config)),
        "topics it lacks": ids(choose(Pool.of(topics), size, config, translated=seen, natural=natural)),
    }
    found = {}
    for name, chosen in arms.items():
        texts = [documents[one] for one in chosen]
        total = sum(len(document.text.encode()) for document in texts)
        stories = sum(len(document.text.encode()) for document in texts if document.source in STORIES)
        words = {word for document in texts for word in _WORD.findall(document.text.lower())}
        found[name] = {"story_share": round(stories / total, 3), "new_words": len(words - known)}
    return found


def drawn(topics: Topics, size: int, draw: int) -> list[str]:
    """Documents by hash up to a size."""
    left, chosen = size, []
    rows = topics.sketches.select(["id", "bytes"]).to_pylist()
    for row in sorted(rows, key=lambda row: stable_hash("draw", row["id"], seed=draw)):
        if row["bytes"] <= left:
            chosen.append(str(row["id"]))
            left -= row["bytes"]
    return chosen


def counted(chosen: Sequence[str], documents: dict[str, Document]) -> tuple[int, int]:
    """Different words and character 5-grams of some documents."""
    words: set[str] = set()
    grams: set[str] = set()
    for name in chosen:
        text = documents[name].text.lower()
        words.update(_WORD.findall(text))
        grams.update(text[place : place + 5] for place in range(len(text) - 4))
    return len(words), len(grams)


def ids(choice: Choice) -> list[str]:
    """Of the parents."""
    return [str(name) for name in choice.parents.column("id").to_pylist()]


if __name__ == "__main__":
    raise SystemExit(main())
