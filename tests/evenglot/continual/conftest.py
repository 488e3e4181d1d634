"""Small corpora of made-up sentences, their vocabulary, and a trained run that knows two of their languages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from corpus.hashing import file_hash, record_id, stable_hash
from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, commit
from corpus.schema import RECORD_SCHEMA
from corpus.shards import ShardWriter
from corpus.storage import Storage

WORDS = {
    "fin_Latn": ["järvi", "metsä", "lumi", "talvi", "kesä", "koira", "talo", "yö", "päivä", "tuuli", "on", "ja"],
    "est_Latn": ["järv", "mets", "lumi", "talv", "suvi", "koer", "maja", "öö", "päev", "tuul", "on", "ja"],
    "swh_Latn": ["paka", "mbwa", "nyumba", "mvua", "mlima", "kiti", "siku", "usiku", "na", "ni", "kwa", "ya"],
    "hye_Armn": ["լեռ", "գետ", "տուն", "ձյուն", "ամառ", "քամի", "օր", "գիշեր", "և", "է"],
}
RECIPE: dict[str, Any] = {
    "sampler": {"row_tokens": 32, "block_rows": 8, "languages": ["fin_Latn", "swh_Latn"]},
    "tokenizer": {"vocabulary": 340},
    "train": {
        "steps": 20,
        "rows": 4,
        "threads": 1,
        "model": {"width": 16, "layers": 1, "heads": 2},
        "optimiser": {"learning_rate": 0.01},
        "log": {"tensorboard": False},
        "heldout": {"rows": 2},
        "checkpoint": {"every": 5},
    },
}


class Small(NamedTuple):
    """What the tests begin with."""

    corpus: str
    """Finnish, Estonian and Swahili, tokenised."""
    other: str
    """Armenian, prepared and not tokenised."""
    run: str
    """Knows Finnish and Swahili."""


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Corpora and a run; tests only read them."""
    from evenglot import steps
    from evenglot.recipe.models import Recipe

    folder = tmp_path_factory.mktemp("continual")
    corpus = write_corpus(folder / "corpus", ["fin_Latn", "est_Latn", "swh_Latn"])
    other = write_corpus(folder / "other", ["hye_Armn"])
    recipe = Recipe.model_validate({**RECIPE, "corpus": corpus, "run": str(folder / "run")})
    steps.tokenize(recipe, 1)
    steps.train(recipe)
    return Small(corpus, other, str(folder / "run"))


def write_corpus(root: Path, languages: Sequence[str]) -> str:
    """A prepared corpus: 40 documents of each language, and 5 held out."""
    storage = Storage(root)
    files: list[ShardFile] = []
    known = {}
    for lang in languages:
        training, heldout = texts(lang, "train", 40), texts(lang, "heldout", 5)
        files += [_shard(storage, lang, "train", training), _shard(storage, lang, "heldout", heldout)]
        known[lang] = LanguageEvidence(
            documents=40,
            bytes=sum(len(text.encode()) for text in training),
            heldout_documents=5,
            heldout_bytes=sum(len(text.encode()) for text in heldout),
        )
    kept = dict.fromkeys(languages, 45)
    snapshot = Snapshot(
        number=1,
        made_by="prepare",
        languages=known,
        mixtures={},
        mixture="proportional",
        ledger=Ledger(read=sum(kept.values()), kept=kept, rejected={}, unreadable={}),
        files=files,
    )
    commit(storage, snapshot, {})
    return str(root)


def texts(lang: str, split: str, count: int) -> list[str]:
    """Documents of up to forty words, chosen by hash."""
    words = WORDS[lang]
    return [
        " ".join(
            words[stable_hash(lang, split, number, place) % len(words)]
            for place in range(3 + stable_hash(lang, split, number) % 37)
        )
        for number in range(count)
    ]


def _shard(storage: Storage, lang: str, split: str, documents: list[str]) -> ShardFile:
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
