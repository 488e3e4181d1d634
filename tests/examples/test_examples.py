from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.ablation import ARMS
from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, commit
from corpus.schema import RECORD_SCHEMA
from corpus.shards import ShardWriter
from corpus.storage import Storage
from evenglot.recipe.load import load_recipe
from pipeline.records import RAW_SCHEMA
from pipeline.sources import plan, read
from trainer.config import TrainConfig

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RECIPES = sorted(EXAMPLES.glob("*.yaml"))


def test_there_are_recipes() -> None:
    assert {recipe.name for recipe in RECIPES} >= {"own-files.yaml", "warc.yaml"}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_recipe_is_valid_and_names_its_inputs(recipe: Path) -> None:
    assert load_recipe(recipe).inputs


def test_the_regularised_recipe_is_the_arm_that_was_measured() -> None:
    train = load_recipe(EXAMPLES / "regularised.yaml").train
    measured = TrainConfig.model_validate(ARMS["deviation + weight decay 1"])
    assert (train.regularisers, train.optimiser) == (measured.regularisers, measured.optimiser)
    assert train.model.shape().adapter > 0


def test_the_way_from_own_files_fits_on_a_card() -> None:
    assert len((EXAMPLES / "own-files.yaml").read_text().splitlines()) <= 10


def test_own_files_are_read_as_the_recipe_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "data" / "swa" / "part-0.jsonl.gz"
    file.parent.mkdir(parents=True)
    record = {"id": "1", "content": "Habari ya dunia", "language": "sw", "page": 3}
    file.write_bytes(gzip.compress(json.dumps(record).encode()))
    (config,) = load_recipe(EXAMPLES / "own-files.yaml").inputs
    (split,) = plan([config])
    (batch,) = read(split, config)
    assert batch.records.schema == RAW_SCHEMA
    assert batch.records.to_pylist() == [
        {
            "key": "1",
            "text": "Habari ya dunia",
            "declared_lang": "sw",
            "url": None,
            "meta": '{"page":3}',
            "file": "data/swa/part-0.jsonl.gz",
            "offset": 0,
        }
    ]


def test_read_corpus_shows_sizes_shares_and_rows(tmp_path: Path) -> None:
    row = {"source": "web", "origin": "natural", "copies": 1, "split": "train", "weight": 1.0}
    texts = {"swh_Latn": "habari", "heb_Hebr": "שלום עולם"}
    files, evidence = [], {}
    storage = Storage(tmp_path)
    for lang, text in texts.items():
        path = f"text/{lang}/000001-train-00000.arrow"
        with storage.create(path) as local, ShardWriter(local, RECORD_SCHEMA) as writer:
            writer.write(pa.RecordBatch.from_pylist([{**row, "id": lang, "lang": lang, "text": text}]))
        files.append(ShardFile(path=path, kind="text", lang=lang, split="train", rows=1))
        evidence[lang] = LanguageEvidence(documents=1, bytes=len(text.encode()))
    snapshot = Snapshot(
        number=1,
        made_by="prepare",
        languages=evidence,
        mixtures={"uniform": dict.fromkeys(texts, 0.5)},
        mixture="uniform",
        ledger=Ledger(read=2, kept=dict.fromkeys(texts, 1), rejected={}, unreadable={}),
        files=files,
    )
    commit(storage, snapshot, {})
    (tmp_path / "text" / "swh_Latn" / "000000-train-00000.arrow").write_bytes(b"left over from a run that died")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "read_corpus.py"), str(tmp_path), "--rows", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "snapshot 1, 2 files, mixture uniform",
        "  heb_Hebr            17 bytes  sampled  50.0%",
        "  swh_Latn             6 bytes  sampled  50.0%",
        "  swh_Latn  weight 1.00  'habari'",
    ]
