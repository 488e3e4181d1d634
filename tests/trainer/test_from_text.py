"""From text shards through the real tokenizer and sampler to a scored model."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from corpus.hashing import file_hash, record_id, stable_hash
from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, commit, read_snapshot
from corpus.schema import RECORD_SCHEMA
from corpus.shards import ShardWriter
from corpus.storage import Storage
from sampler.config import SamplerConfig
from trainer.config import TrainConfig
from trainer.evaluate import evaluate
from trainer.loop import train
from trainer.run.logs import read_metrics

WORDS = {
    "fin_Latn": ["järvi", "metsä", "lumi", "talvi", "kesä", "koira", "talo", "yö", "päivä", "tuuli", "on", "ja"],
    "hye_Armn": ["լեռ", "գետ", "տուն", "ձյուն", "ամառ", "քամի", "օր", "գիշեր", "և", "է"],
}


@pytest.fixture
def text_corpus(tmp_path: Path) -> str:
    """Documents of up to forty words: 120 Finnish, 30 Armenian, and a few held out."""
    storage = Storage(tmp_path / "corpus")
    files: list[ShardFile] = []
    languages = {}
    for lang, count in (("fin_Latn", 120), ("hye_Armn", 30)):
        train_texts, heldout_texts = texts(lang, "train", count), texts(lang, "heldout", 5)
        files.append(write_shard(storage, lang, "train", train_texts))
        files.append(write_shard(storage, lang, "heldout", heldout_texts))
        languages[lang] = LanguageEvidence(
            documents=count,
            bytes=sum(len(text.encode()) for text in train_texts),
            characters=sum(map(len, train_texts)),
            heldout_documents=5,
            heldout_bytes=sum(len(text.encode()) for text in heldout_texts),
        )
    kept = {lang: known.documents + known.heldout_documents for lang, known in languages.items()}
    snapshot = Snapshot(
        number=1,
        made_by="prepare",
        languages=languages,
        mixtures={},
        mixture="proportional",
        ledger=Ledger(read=sum(kept.values()), kept=kept, rejected={}, unreadable={}),
        files=files,
    )
    commit(storage, snapshot, {})
    return str(tmp_path / "corpus")


def texts(lang: str, split: str, count: int) -> list[str]:
    words = WORDS[lang]
    return [
        " ".join(
            words[stable_hash(lang, split, number, place) % len(words)]
            for place in range(3 + stable_hash(lang, split, number) % 37)
        )
        for number in range(count)
    ]


def write_shard(storage: Storage, lang: str, split: str, documents: list[str]) -> ShardFile:
    name = f"text/{lang}/000001-{split}-00000.arrow"
    count = len(documents)
    columns = {
        "id": [record_id(lang, f"{split}{number}") for number in range(count)],
        "text": documents,
        "lang": [lang] * count,
        "source": ["test"] * count,
        "origin": ["natural"] * count,
        "copies": [1] * count,
        "split": [split] * count,
        "weight": [1.0] * count,
    }
    with storage.create(name) as path, ShardWriter(path, RECORD_SCHEMA) as writer:
        writer.write(pa.RecordBatch.from_pydict(columns))
    path = Path(storage.path(name))
    return ShardFile(
        path=name, kind="text", lang=lang, split=split, rows=count, size=path.stat().st_size, hash=file_hash(path)
    )


def test_text_to_bits_per_byte(text_corpus: str, tmp_path: Path) -> None:
    from pipeline.tokenizer import TokenizerConfig, tokenize_corpus

    tokenize_corpus(text_corpus, TokenizerConfig(vocabulary=320))
    config = TrainConfig.model_validate(
        {
            "steps": 40,
            "rows": 8,
            "threads": 1,
            "model": {"width": 32, "layers": 1, "heads": 2},
            "log": {"tensorboard": False},
            "heldout": {"rows": None},
        }
    )
    run = str(tmp_path / "run")
    summary = train(text_corpus, run, config, SamplerConfig(row_tokens=64), tokenizer="spm", seed=0)
    result = evaluate(run, text_corpus)
    known = read_snapshot(text_corpus).languages
    assert result["languages"] == summary.final["languages"]
    start = read_metrics(Path(run) / "metrics.jsonl")[0]["languages"]
    for lang, figures in result["languages"].items():
        assert figures["bytes"] == known[lang].heldout_bytes
        assert figures["bits_per_byte"] < 0.7 * start[lang]["bits_per_byte"]
    assert summary.tokens == 40 * 8 * 64
