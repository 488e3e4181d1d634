"""One worker in this process or several in their own, a first run or a second: the same bytes."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path

import pytest

from pipeline.config import PrepareConfig
from pipeline.prepare import prepare
from pipeline.sources import InputConfig

CONFIG = PrepareConfig.model_validate({"batch_bytes": 1 << 15, "write": {"shard_bytes": 1 << 14}})


def write_input(folder: Path) -> None:
    """Real text of twenty languages in five files: shared lines, longer and shorter versions."""
    folder.mkdir()
    texts = sorted(path for path in files("evenglot.demo").joinpath("texts").iterdir() if path.name.endswith(".txt"))
    for part in range(5):
        lines = []
        for path in texts:
            lang = path.name.removesuffix(".txt")
            for number, text in enumerate(path.read_text(encoding="utf-8").splitlines()[:8]):
                url = f"https://{lang[:3]}.example/{part}/{number}"
                body = f"Home | About | Contact\n{text[: len(text) * (5 + part) // 9]}"
                lines.append({"id": f"{lang}-{part}-{number}", "url": url, "lang": lang, "text": body})
        content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / f"{part}.jsonl").write_text(content + "not a record\n", encoding="utf-8")


def tree(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.parent.name != "runs"
    }


@pytest.mark.slow
def test_any_number_of_workers_at_a_first_and_a_second_run_gives_the_same_bytes(tmp_path: Path) -> None:
    write_input(tmp_path / "in")
    inputs = [InputConfig(path=str(tmp_path / "in"))]
    found = {}
    for name, workers in (("one", 1), ("one again", 1), ("four", 4)):
        snapshot = prepare(inputs, str(tmp_path / name), CONFIG, workers=workers)
        found[name] = tree(tmp_path / name)
    reasons = snapshot.ledger.by_reason()
    assert reasons["deduplicate/near_duplicate"] > 100
    assert len(snapshot.select("text")) > 30
    assert all(hashes == found["one"] for hashes in found.values())
