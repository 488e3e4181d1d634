"""The estimate against the run itself."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from corpus.hashing import stable_hash
from pipeline.dry_run import dry_run
from pipeline.prepare import prepare
from pipeline.sources import InputConfig


def other_order(text: str, copy: int) -> str:
    """The text with its words, or groups of letters where it has no spaces, in an order of the copy's own."""
    spaced = text.count(" ") * 16 > len(text)
    parts = text.split() if spaced else [text[start : start + 3] for start in range(0, len(text), 3)]
    if copy:
        order = sorted(range(len(parts)), key=lambda place: stable_hash(text, copy, place))
        parts = [parts[place] for place in order]
    return (" " if spaced else "").join(parts)


def write_input(folder: Path, copies: int) -> int:
    """Real text of twenty languages, each line in so many versions; gives the records."""
    texts = sorted(path for path in files("evenglot.demo").joinpath("texts").iterdir() if path.name.endswith(".txt"))
    folder.mkdir()
    rows = [
        {"text": f"{number}. {other_order(text, copy)}", "lang": path.name[:8]}
        for path in texts
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines())
        for copy in range(copies)
    ]
    rows.sort(key=lambda row: stable_hash(row["text"]))
    for part in range(4):
        lines = [json.dumps(row, ensure_ascii=False) for row in rows[part::4]]
        (folder / f"{part}.jsonl").write_text("\n".join([*lines, '{"text": "cut', "", ""]), encoding="utf-8")
    return len(rows) + 8


def test_small_input_is_told_exactly_and_nothing_is_left(tmp_path: Path) -> None:
    count = write_input(tmp_path / "in", 2)
    inputs = [InputConfig(path=str(tmp_path / "in"))]
    found = dry_run(inputs, workers=1, cpu_hour_price=3600.0)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    snapshot = prepare(inputs, str(tmp_path / "corpus"))
    assert found.sample_share == 1.0
    assert found.documents.expected == found.documents.low == found.documents.high == count == snapshot.ledger.read
    assert found.kept.expected == pytest.approx(snapshot.ledger.kept_total)
    assert found.reasons["unreadable/truncated_json"].expected == snapshot.ledger.unreadable["truncated_json"] == 4
    assert {lang: language.sample_documents for lang, language in found.languages.items()} == snapshot.ledger.kept
    size = sum(evidence.bytes + evidence.heldout_bytes for evidence in snapshot.languages.values())
    assert found.text_bytes.expected == pytest.approx(size)
    assert found.cost is not None
    assert found.cost.expected == found.cpu_seconds.expected > 0
    assert found.notes == []
    json.dumps(found.as_json(), allow_nan=False)


@pytest.mark.slow
def test_estimate_from_a_part_holds_the_truth(tmp_path: Path) -> None:
    count = write_input(tmp_path / "in", 32)
    inputs = [InputConfig(path=str(tmp_path / "in"))]
    found = dry_run(inputs, workers=1, seconds=6)
    assert 0.02 < found.sample_share < 0.9
    snapshot = prepare(inputs, str(tmp_path / "corpus"))
    assert found.documents.expected == pytest.approx(count, rel=0.1)
    assert found.documents.low < count < found.documents.high * 1.02
    assert found.kept.expected == pytest.approx(snapshot.ledger.kept_total, rel=0.3)
    run = json.loads((tmp_path / "corpus" / "runs" / "000001.json").read_text())
    assert found.cpu_seconds.expected == pytest.approx(run["cpu_seconds"], rel=0.5)
    assert found.corpus_bytes == pytest.approx(
        sum(file.stat().st_size for file in (tmp_path / "corpus").rglob("*") if file.is_file()), rel=0.3
    )
