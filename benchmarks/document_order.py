"""Views of a language's documents: what the first look costs, what each leg costs, and how near the cap is met.

    python -m benchmarks.document_order --json FILE [--quick]

A million made-up documents in memory (38 tokens on average; copies geometric with mean 3.3; three tenths synthetic;
scores uniform) are read under each view: the seconds of the first look at their columns, the microseconds for each
document of the legs of a pass, and what a pass holds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.machine import machine
from corpus.manifest import ShardFile
from corpus.schema import RUN_DOCUMENTS, token_schema
from sampler.index import Documents
from sampler.passes import LegCache, Passes
from sampler.runs import RunCache
from sampler.view import DocumentsConfig

VIEWS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "easier half": {"difficulty": (0, 0.5)},
    "easy first": {"order": "easy_first"},
    "rehydrated": {"rehydrate": "middle"},
    "at most a tenth synthetic": {"max_synthetic_share": 0.1},
    "hard first, rehydrated, diverse twice": {"order": "hard_first", "rehydrate": "middle", "repeat_diverse": 2},
}
LEGS = 256


class Made:
    """Record batches of made-up documents; every token is 0."""

    ahead = False

    def __init__(self, batches: int) -> None:
        schema = token_schema(1 << 16, attributes=True)
        random = np.random.default_rng(0)
        self._batches = []
        for _ in range(batches):
            bounds = np.concatenate([[0], np.cumsum(random.integers(16, 61, RUN_DOCUMENTS))]).astype(np.int32)
            tokens = pa.array(np.zeros(bounds[-1], dtype=np.uint16))
            columns = [
                pa.array([""] * RUN_DOCUMENTS),
                pa.ListArray.from_arrays(pa.array(bounds), tokens, type=schema.field("tokens").type),
                pa.array(np.diff(bounds) * 3),
                pa.array(random.geometric(0.3, RUN_DOCUMENTS).astype(np.int32)),
                pa.array(random.random(RUN_DOCUMENTS) < 0.3),
                pa.array(random.random(RUN_DOCUMENTS, dtype=np.float32)),
                pa.array(random.random(RUN_DOCUMENTS, dtype=np.float32)),
            ]
            self._batches.append(pa.RecordBatch.from_arrays(columns, schema=schema))

    def count(self, file: ShardFile) -> int:
        """Record batches."""
        return len(self._batches)

    def batch(self, file: ShardFile, index: int) -> pa.RecordBatch:
        """One of them."""
        return self._batches[index]

    def prefetch(self, file: ShardFile, index: int) -> None:
        """They are in memory."""


def measure(made: Made, view: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of one view."""
    file = ShardFile(path="made-up", kind="tokens", rows=made.count(ShardFile(path="", kind="tokens")) * RUN_DOCUMENTS)
    documents = Documents("und", [file], made, RunCache())
    begun = time.process_time()
    passes = Passes(documents, 0, LegCache(), DocumentsConfig.model_validate(view))
    looked = time.process_time() - begun
    begun, offset, read, legs = time.process_time(), 0, 0, 0
    while offset < passes.tokens and legs < LEGS:
        leg, _ = passes.locate(offset)
        offset += int(leg.bounds[-1])
        read += len(leg.runs)
        legs += 1
    seconds = time.process_time() - begun
    contents = passes.contents
    return {
        "first_look_cpu_seconds": looked,
        "leg_cpu_microseconds_per_document": seconds / read * 1e6,
        "documents_per_leg": read // legs,
        "documents": contents.documents,
        "distinct": contents.distinct,
        "times": contents.documents / contents.distinct,
        "synthetic_share": contents.synthetic_tokens / contents.tokens,
        "left_out_tokens": contents.left_out_tokens,
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure all views."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.document_order", description=__doc__)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="a tenth of the documents")
    options = parser.parse_args(arguments)
    made = Made(98 if options.quick else 977)
    found = {name: measure(made, view) for name, view in VIEWS.items()}
    report = {"machine": machine(), "views": found}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name, figures in found.items():
        print(f"{name}: {json.dumps(figures)}")


if __name__ == "__main__":
    main()
