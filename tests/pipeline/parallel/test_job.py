from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.errors import CorpusError, InputError
from corpus.manifest import Snapshot, read_snapshot
from corpus.parallel import groups_of
from corpus.shards import read_table
from evenglot.verify.corpus_files import verify_corpus
from pipeline.parallel.config import ParallelConfig, ParallelInput
from pipeline.parallel.job import add_parallel
from pipeline.tokenizer.config import TokenizerConfig
from pipeline.tokenizer.job import tokenize_corpus
from pipeline.tokenizer.model import load_tokenizer

HELDOUT = "the quick brown fox jumps over the lazy dog near the river"
TEXTS = {
    "eng_Latn": [f"the cat number {number} sat on the mat and looked at the moon. " * 4 for number in range(6)],
    "swh_Latn": [f"paka namba {number} alikaa kwenye mkeka na kutazama mwezi. " * 4 for number in range(6)],
}


@pytest.fixture
def corpus(tmp_path: Path, write_corpus: Callable[..., str]) -> str:
    root = write_corpus(tmp_path / "corpus", TEXTS, {"eng_Latn": [f"Once {HELDOUT}."]})
    tokenize_corpus(root, TokenizerConfig(vocabulary=320), seed=0)
    return root


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    records: list[object] = [
        {"id": "a", "split": "train", "text": {"eng_Latn": "the cat sat", "swh_Latn": "paka alikaa"}},
        {"id": "b", "split": "test", "text": {"eng_Latn": "the moon", "swh_Latn": "mwezi", "fra_Latn": "la lune"}},
        {"id": "c", "split": "train", "text": {"eng_Latn": HELDOUT, "swh_Latn": "mbweha mwepesi anaruka juu ya mbwa"}},
        {"id": "d", "split": "train", "text": {"eng_Latn": "the moon", "swh_Latn": "mwezi ule", "fra_Latn": "lune"}},
        {"id": "e", "split": "train", "text": {"eng_Latn": "the cat sat", "swh_Latn": "paka alikaa"}},
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records) + "broken\n", "utf-8")
    return path


def _add(corpus: str, pairs: Path) -> Snapshot:
    return add_parallel(corpus, ParallelConfig(inputs=(ParallelInput(path=str(pairs)),)), "spm")


def test_every_sentence_is_kept_or_accounted_for(corpus: str, pairs: Path) -> None:
    text = _add(corpus, pairs).parallel["spm"]
    assert text.ledger.read == 13
    assert text.ledger.kept == {"eng_Latn": 2, "fra_Latn": 2, "swh_Latn": 3}
    assert text.ledger.rejected == {
        "parallel/alone": {"swh_Latn": 1},
        "parallel/duplicate": {"eng_Latn": 1, "swh_Latn": 1},
        "parallel/heldout_document": {"eng_Latn": 1},
        "parallel/heldout_sentence": {"eng_Latn": 1},
    }
    assert text.ledger.unreadable == {"not_a_record": 1}
    assert text.groups == {"heldout": 1, "train": 2}
    assert text.pairs == {
        "train": {"eng_Latn-swh_Latn": 1, "fra_Latn-swh_Latn": 1},
        "heldout": {"eng_Latn-fra_Latn": 1, "eng_Latn-swh_Latn": 1, "fra_Latn-swh_Latn": 1},
    }


def test_shards_hold_the_tokens_of_every_sentence(corpus: str, pairs: Path) -> None:
    snapshot = _add(corpus, pairs)
    tokenizer = load_tokenizer(corpus, snapshot)
    (file,) = snapshot.select("parallel", split="train", tokenizer="spm")
    table = read_table(Path(corpus) / file.path)
    assert table.column("langs").to_pylist() == [["eng_Latn", "swh_Latn"], ["fra_Latn", "swh_Latn"]]
    assert table.column("bytes").to_pylist() == [[11, 11], [4, 9]]
    read = [[tokenizer.decode(side) for side in group] for group in table.column("tokens").to_pylist()]
    assert read == [["the cat sat", "paka alikaa"], ["lune", "mwezi ule"]]
    (rejected,) = snapshot.select("parallel_rejected")
    rows = read_table(Path(corpus) / rejected.path).select(["key", "line", "stage", "reason"]).to_pylist()
    assert rows[0] == {"key": "c", "line": 3, "stage": "parallel", "reason": "heldout_document"}
    assert rows[-1] == {"key": None, "line": 6, "stage": "read", "reason": "not_a_record"}


def test_arrays_of_the_wanted_languages(corpus: str, pairs: Path) -> None:
    snapshot = _add(corpus, pairs)
    (file,) = snapshot.select("parallel", split="heldout")
    table = read_table(Path(corpus) / file.path)
    groups = groups_of(pa.concat_tables([table, table.slice(0, 1)]), ("fra_Latn", "swh_Latn"))
    assert groups.bounds.tolist() == [0, 2, 4]
    assert groups.langs.tolist() == [0, 1, 0, 1]
    tokenizer = load_tokenizer(corpus, snapshot)
    assert [tokenizer.decode(groups.sentence(number)) for number in range(4)] == ["la lune", "mwezi"] * 2
    assert len(groups_of(table, ("fra_Latn",))) == len(groups_of(table.slice(0, 0), ("fra_Latn", "swh_Latn"))) == 0


def test_the_same_again_changes_nothing_and_other_settings_do(corpus: str, pairs: Path) -> None:
    first = _add(corpus, pairs)
    assert _add(corpus, pairs) == first
    other = add_parallel(corpus, ParallelConfig(inputs=(ParallelInput(path=str(pairs)),), max_length_ratio=2.0), "spm")
    assert other.number == first.number + 1
    assert {file.path for file in other.select("parallel")}.isdisjoint(file.path for file in first.select("parallel"))
    assert verify_corpus(corpus).problems == []


def test_another_vocabulary_of_the_name_drops_the_parallel_text(
    corpus: str, pairs: Path, write_corpus: Callable[..., str]
) -> None:
    first = _add(corpus, pairs)
    more = {lang: [text.upper() for text in texts] for lang, texts in TEXTS.items()}
    write_corpus(corpus, more, number=first.number + 1, parent=first.number, onto=first)
    after = tokenize_corpus(corpus, TokenizerConfig(vocabulary=320), seed=0)
    assert after.parallel == {}
    assert after.select("parallel") == []


def test_a_changed_byte_is_found(corpus: str, pairs: Path) -> None:
    (file,) = _add(corpus, pairs).select("parallel", split="train")
    path = Path(corpus) / file.path
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert len(verify_corpus(corpus).problems) == 1


def test_a_ledger_that_is_not_what_the_shards_hold_is_found(corpus: str, pairs: Path) -> None:
    snapshot = _add(corpus, pairs)
    text = snapshot.parallel["spm"]
    wrong = text.ledger.model_copy(
        update={"kept": {**text.ledger.kept, "fra_Latn": 3}, "unreadable": {}, "read": text.ledger.read}
    )
    changed = snapshot.model_copy(update={"parallel": {"spm": text.model_copy(update={"ledger": wrong})}})
    path = Path(corpus) / "snapshots" / f"{snapshot.number:06d}.json"
    path.write_text(changed.model_dump_json())
    assert verify_corpus(corpus).problems == [
        "parallel text under 'spm': ledger says 3 documents of fra_Latn were kept, the files hold 2",
        "parallel text under 'spm': ledger says 0 records were unreadable for not_a_record, the files hold 1",
    ]


def test_nothing_usable_is_an_error_and_leaves_the_corpus(corpus: str, tmp_path: Path) -> None:
    path = tmp_path / "copies.jsonl"
    path.write_text('{"text": {"eng_Latn": "same", "swh_Latn": "same"}}\n', "utf-8")
    before = read_snapshot(corpus)
    with pytest.raises(InputError, match="parallel/copy"):
        _add(corpus, path)
    assert read_snapshot(corpus) == before
    with pytest.raises(CorpusError, match="no tokenizer 'bpe'"):
        add_parallel(corpus, ParallelConfig(inputs=(ParallelInput(path=str(path)),)), "bpe")
