from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pipeline.language_id.model import load_model
from pipeline.language_id.train import main

WORDS = {
    "eng_Latn": "the house stands by river and children play in garden every day while bread is baked",
    "swh_Latn": "nyumba iko karibu na mto watoto wanacheza kwenye bustani yao kila siku mkate unaokwa",
    "rus_Cyrl": "дом стоит у реки дети играют в саду каждый день пока печётся хлеб и вода",
}


def _sentence(tag: str, number: int) -> str:
    words = WORDS[tag].split()
    return " ".join(words[(number * 7 + place * 3) % len(words)] for place in range(10))


def _zstd(path: Path, lines: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zstandard.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))


def _gzip(path: Path, lines: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for part, articles in (("dev", (1, 4)), ("test", (2, 3))):
        rows = [
            {"id": f"{tag}-{n}", "lang": tag, "article": articles[n % 2], "text": _sentence(tag, n)}
            for tag in WORDS
            for n in range(12)
        ]
        _gzip(root / "eval" / "lid_udhr" / f"{part}.jsonl.gz", rows)
    for part in ("train", "dev"):
        rows = [
            {"id": f"nusax-eng-{n}", "lang": "eng_Latn", "label": "neutral", "text": _sentence("eng_Latn", n)}
            for n in range(5)
        ]
        _gzip(root / "eval" / "nusax_senti" / f"{part}.jsonl.gz", rows)
    news = [{"id": f"n{n}", "doc": f"d{n // 4}", "text": {tag: _sentence(tag, n) for tag in WORDS}} for n in range(40)]
    _zstd(root / "lid" / "ntrex128.jsonl.zst", news)
    for name in ("tico19", "stories", "bible_pd"):
        rows = [
            {
                "id": f"{name}-{n}",
                "doc": f"{name}-{n}",
                "split": "train" if n else "test",
                "text": {"eng_Latn": _sentence("eng_Latn", n)},
            }
            for n in range(4)
        ]
        _zstd(root / "parallel" / f"{name}.jsonl.zst", rows)
    records, truth = [], []
    for n in range(24):
        tag = list(WORDS)[n % 3]
        wrong = n >= 18
        declared = list(WORDS)[(n + 1) % 3] if wrong else tag
        records.append({"id": str(n), "lang": declared, "text": "\n".join(_sentence(tag, n + k) for k in range(4))})
        truth.append(
            {
                "shard": "shard-00.jsonl",
                "line": n + 1,
                "true_lang": tag,
                "src_id": f"nusapar-x-{n}",
                "planted": [{"kind": "wrong_lang"}] if wrong else [],
            }
        )
    _zstd(root / "corpus" / "shard-00.jsonl.zst", records)
    _zstd(root / "corpus" / "ground_truth.jsonl.zst", truth)
    return root


def _arguments(data: Path, output: Path) -> list[str]:
    small = {"cap": 2000, "floor": 500, "dim": 16, "epoch": 20, "bucket": 2000, "min-count": 1}
    return ["--data", str(data), "--output", str(output), *(f"--{name}={value}" for name, value in small.items())]


def test_training_writes_a_model_that_loads_and_the_same_one_twice(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "card.md"
    card.write_text("# Card\n<!-- scores: begin -->\nold\n<!-- scores: end -->\nend\n", encoding="utf-8")
    assert main([*_arguments(data, tmp_path / "a"), "--card", str(card)]) == 0
    assert main(_arguments(data, tmp_path / "b")) == 0
    (tmp_path / "b" / "evenglot-lid.json").unlink()
    assert main([*_arguments(data, tmp_path / "b"), "--score-only"]) == 0
    assert "scoring " in capsys.readouterr().err
    for name in ("evenglot-lid.ftz", "evenglot-lid-relatives.npz", "evenglot-lid.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    facts = json.loads((tmp_path / "a" / "evenglot-lid.json").read_text(encoding="utf-8"))
    assert facts["labels"] == ["eng_Latn", "rus_Cyrl", "swh_Latn", "zxx"]
    assert facts["scores"]["udhr_test_sentences"]["macro_f1"] > 0.9
    assert facts["scores"]["wrong_labels_unseen"]["found"] == 1.0
    assert facts["training"]["sources"]["ntrex"] == {"licence": "CC BY-SA 4.0", "texts": 120}
    text = card.read_text(encoding="utf-8")
    assert "| rus_Cyrl | Russian |" in text
    assert "old" not in text
    assert text.endswith("<!-- scores: end -->\nend\n")
    model = load_model(str(tmp_path / "a" / "evenglot-lid.ftz"))
    assert model.predict([_sentence("swh_Latn", 5), _sentence("rus_Cyrl", 9)]).tags == ["swh_Latn", "rus_Cyrl"]


def test_tuning_reads_no_test_part(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "eval" / "lid_udhr" / "test.jsonl.gz").unlink()
    assert main([*_arguments(data, tmp_path / "a"), "--tune"]) == 0
    assert "without declaration: declaration: 36 sentences, 3 languages" in capsys.readouterr().err
    found = json.loads((tmp_path / "a" / "evenglot-lid-tuning.json").read_text(encoding="utf-8"))
    assert list(found) == [
        "without declaration: declaration",
        "without declaration: news, seen kind",
        *(f"without further sources: {name}" for name in ("bible_pd", "corpus", "nusax", "stories", "tico19")),
    ]
    assert not (tmp_path / "a" / "evenglot-lid.ftz").exists()


def test_missing_data_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path), "--output", str(tmp_path / "out")]) == 3
    assert capsys.readouterr().err.startswith("error: cannot read ")
