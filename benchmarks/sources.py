"""Clean documents of the development corpus by language and true source, and parallel text by document."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from benchmarks.truth import CLEAN_KINDS, decompressed, source_texts


class Document(NamedTuple):
    """A natural text."""

    id: str
    source: str
    text: str


def clean_documents(data: Path) -> dict[str, list[Document]]:
    """Documents with nothing wrong planted in them, by true language, in the order of the shards.

    Args:
        data: folder with ``corpus/``.
    """
    texts = source_texts(data / "corpus")
    found: dict[str, list[Document]] = defaultdict(list)
    for line in decompressed(data / "corpus" / "ground_truth.jsonl.zst").splitlines():
        record = json.loads(line)
        text = texts.get((record["shard"], record["line"]))
        if text and {plant["kind"] for plant in record["planted"]} <= CLEAN_KINDS:
            name = f"{record['shard']}:{record['line']}"
            found[record["true_lang"]].append(Document(name, record["src"], text))
    return dict(found)


def by_source(documents: list[Document]) -> dict[str, list[Document]]:
    """The documents of each source."""
    found: dict[str, list[Document]] = defaultdict(list)
    for document in documents:
        found[document.source].append(document)
    return dict(found)


def translations(data: Path, name: str) -> dict[str, dict[str, str]]:
    """Parallel text, its units of one document joined by line ends, by language and document.

    Args:
        data: folder with ``parallel/``.
        name: of the file: ``tico19``, ``stories``.
    """
    units: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for line in decompressed(data / "parallel" / f"{name}.jsonl.zst").splitlines():
        row = json.loads(line)
        for lang, text in row["text"].items():
            units[lang][row["doc"]].append(text)
    return {lang: {doc: "\n".join(texts) for doc, texts in found.items()} for lang, found in units.items()}
