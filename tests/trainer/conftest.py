"""A tiny tokenised corpus, written with the same code that the pipeline writes with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.hashing import file_hash, record_id, stable_hash
from corpus.ledger import Ledger
from corpus.manifest import LanguageEvidence, ShardFile, Snapshot, commit
from corpus.mixtures import proportional
from corpus.schema import token_schema
from corpus.shards import ShardWriter
from corpus.storage import Storage

SPECIAL = {"pad": 0, "unk": 1, "bos": 2, "eos": 3, "mask": 4}
VOCABULARY = 5 + 256
SENTENCES = {
    "eng_Latn": ("the cat sat on the mat. ", "a dog ran to the old house. ", "rain fell on the green hill. "),
    "swh_Latn": ("paka alikaa kwenye mkeka. ", "mbwa alikimbia nyumbani. "),
    "ell_Grek": ("η γάτα κάθισε στο χαλί. ",),
}
"""What the documents are put together from; enough to learn something in a few steps."""

BuildCorpus = Callable[[Path, Mapping[str, int]], str]


@pytest.fixture(scope="session")
def build_corpus() -> BuildCorpus:
    """A function that writes a corpus with so many training documents of each language and a tenth held out."""
    return _build


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    """English 60, Swahili 20, Greek 5 training documents, as bytes."""
    return _build(tmp_path_factory.mktemp("tiny") / "corpus", {"eng_Latn": 60, "swh_Latn": 20, "ell_Grek": 5})


def _build(root: Path, documents: Mapping[str, int]) -> str:
    storage = Storage(root)
    languages: dict[str, LanguageEvidence] = {}
    files: list[ShardFile] = []
    for lang, count in documents.items():
        train, heldout = _texts(lang, count, "train"), _texts(lang, max(2, count // 10), "heldout")
        for split, texts in (("train", train), ("heldout", heldout)):
            files.append(_write_tokens(storage, lang, split, texts))
        size = sum(len(text.encode()) for text in train)
        languages[lang] = LanguageEvidence(
            documents=len(train),
            bytes=size,
            heldout_documents=len(heldout),
            heldout_bytes=sum(len(text.encode()) for text in heldout),
            tokens={"bytes": size},
            bytes_per_token={"bytes": 1.0},
        )
    kept = {lang: known.documents + known.heldout_documents for lang, known in languages.items()}
    shares = proportional({lang: known.bytes for lang, known in languages.items()})
    snapshot = Snapshot(
        number=1,
        made_by="tokenize",
        languages=languages,
        mixtures={"proportional": shares},
        mixture="proportional",
        ledger=Ledger(read=sum(kept.values()), kept=kept, rejected={}, unreadable={}),
        tokenizers={"bytes": {"vocabulary": VOCABULARY, "special": SPECIAL, "hash": "0" * 32}},
        files=files,
    )
    commit(storage, snapshot, {})
    return str(root)


def _texts(lang: str, count: int, split: str) -> list[str]:
    """Documents of one to four sentences, chosen by hash."""
    sentences = SENTENCES[lang]
    return [
        "".join(
            sentences[stable_hash(lang, split, number, part) % len(sentences)]
            for part in range(1 + stable_hash(lang, split, number) % 4)
        )
        for number in range(count)
    ]


def _write_tokens(storage: Storage, lang: str, split: str, texts: list[str]) -> ShardFile:
    name = f"tokens/bytes/{lang}/000001-{split}-00000.arrow"
    path = Path(storage.path(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = token_schema(VOCABULARY)
    columns = [
        pa.array([record_id(lang, f"{split}{number}") for number in range(len(texts))]),
        pa.array([[5 + byte for byte in text.encode()] for text in texts], schema.field("tokens").type),
        pa.array([len(text.encode()) for text in texts], pa.int32()),
    ]
    with ShardWriter(path, schema) as writer:
        writer.write(pa.RecordBatch.from_arrays(columns, schema=schema))
    return ShardFile(
        path=name,
        kind="tokens",
        lang=lang,
        split=split,
        tokenizer="bytes",
        rows=len(texts),
        size=path.stat().st_size,
        hash=file_hash(path),
    )
