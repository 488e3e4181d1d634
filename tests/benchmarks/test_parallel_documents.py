"""The sides of parallel text become documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import zstandard

from benchmarks.parallel_documents import main


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zstandard.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))


def test_the_training_units_of_a_document_are_joined(tmp_path: Path) -> None:
    def unit(doc: str, split: str, **text: str) -> dict[str, Any]:
        return {"doc": doc, "split": split, "text": text}

    write(
        tmp_path / "parallel" / "tico19.jsonl.zst",
        [
            unit("a", "train", swh_Latn="Moja.", eng_Latn="One."),
            unit("b", "train", swh_Latn="Tatu."),
            unit("a", "train", swh_Latn="Mbili.", xho_Latn="Zimbini."),
            unit("c", "test", swh_Latn="Nne."),
        ],
    )
    write(tmp_path / "parallel" / "stories.jsonl.zst", [unit("a", "dev", swh_Latn="Tano.")])
    write(tmp_path / "parallel" / "bible_pd.jsonl.zst", [])
    write(tmp_path / "lid" / "ntrex128.jsonl.zst", [unit("n", "test", swh_Latn="Sita.")])
    output = tmp_path / "out" / "documents.jsonl"
    command = ["--data", str(tmp_path), "--output", str(output), "--languages", "swh_Latn", "xho_Latn"]
    assert main(command) == 0
    assert [json.loads(line) for line in output.read_text().splitlines()] == [
        {"id": "parallel/tico19/a/swh_Latn", "lang": "swh_Latn", "text": "Moja.\nMbili."},
        {"id": "parallel/tico19/b/swh_Latn", "lang": "swh_Latn", "text": "Tatu."},
        {"id": "parallel/tico19/a/xho_Latn", "lang": "xho_Latn", "text": "Zimbini."},
        {"id": "lid/ntrex128/n/swh_Latn", "lang": "swh_Latn", "text": "Sita."},
    ]
