"""From a prepared corpus to one with tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from corpus.errors import ConfigurationError, CorpusError
from corpus.hashing import file_hash
from corpus.manifest import read_snapshot
from corpus.schema import token_schema
from corpus.shards import ShardWriter, read_table
from corpus.storage import Storage
from pipeline.curriculum.config import ScoresConfig
from pipeline.tokenizer import TokenizerConfig, load_tokenizer, tokenize_corpus

TRAIN = {
    "eng_Latn": [f"The rain number {number} falls in the plain.\nA rose is a rose." for number in range(7)],
    "rus_Cyrl": ["Дождь идёт на равнине.", "Роза есть роза."],
    "zho_Hans": ["平原上下雨。", "玫瑰就是玫瑰。", "河流就是河流。"],
}
HELDOUT = {"eng_Latn": ["A river is a river."], "zho_Hans": ["雨"]}
CONFIG = TokenizerConfig(vocabulary=320)


def files(root: str | Path) -> dict[str, str]:
    return {str(path.relative_to(root)): file_hash(path) for path in sorted(Path(root).glob("tokens/**/*.*"))}


def test_tokens_beside_the_text_and_evidence_in_a_new_snapshot(write_corpus: Any, tmp_path: Path) -> None:
    root = write_corpus(tmp_path, TRAIN, HELDOUT)
    seen: list[tuple[str, int, int]] = []
    snapshot = tokenize_corpus(root, CONFIG, seed=1, workers=1, progress=lambda *event: seen.append(event))

    assert (snapshot.number, snapshot.parent, snapshot.made_by) == (2, 1, "tokenize")
    assert read_snapshot(root) == snapshot
    described = snapshot.tokenizers["spm"]
    assert described["vocabulary"] == 320
    assert described["special"] == {"pad": 0, "unk": 1, "bos": 2, "eos": 3, "mask": 4}
    assert seen[:2] == [("train tokenizer", 0, 1), ("train tokenizer", 1, 1)]
    assert seen[2:6] == [("count what is rare", done, 3) for done in range(4)]
    assert seen[6:] == [("encode", done, 7) for done in range(8)]

    tokenizer = load_tokenizer(root, snapshot, "spm")
    totals: dict[str, list[int]] = {}
    text_files = snapshot.select("text")
    assert [file.path.replace("text/", "tokens/spm/") for file in text_files] == [
        file.path for file in snapshot.select("tokens")
    ]
    for text_file, token_file in zip(text_files, snapshot.select("tokens"), strict=True):
        assert (text_file.lang, text_file.split, text_file.rows) == (token_file.lang, token_file.split, token_file.rows)
        path = Path(root) / token_file.path
        assert (path.stat().st_size, file_hash(path)) == (token_file.size, token_file.hash)
        texts, tokens = read_table(Path(root) / text_file.path), read_table(path)
        assert tokens.schema.field("tokens").type.value_type == pa.uint16()
        assert tokens["id"].to_pylist() == texts["id"].to_pylist()
        assert token_file.run_tokens == (sum(map(len, tokens["tokens"].to_pylist())),)
        assert tokens["bytes"].to_pylist() == [len(text.encode()) for text in texts["text"].to_pylist()]
        for ids, text in zip(tokens["tokens"].to_pylist(), texts["text"].to_pylist(), strict=True):
            assert ids == [*tokenizer.encode(text), 3]
            if text_file.split == "train":
                total = totals.setdefault(str(text_file.lang), [0, 0, 0])
                total[0] += len(ids)
                total[1] += len(text.encode())
                total[2] += len(text) if text_file.lang == "zho_Hans" else len(text.split())
    for lang, (tokens_total, text_bytes, words) in totals.items():
        known, documents = snapshot.languages[lang], len(TRAIN[lang])
        assert known.documents == documents
        assert known.tokens == {"spm": tokens_total}
        assert known.synthetic_tokens == {"spm": 0}
        assert known.bytes_per_token == {"spm": round(text_bytes / (tokens_total - documents), 4)}
        assert known.fertility == {"spm": round((tokens_total - documents) / words, 4)}

    run = json.loads((Path(root) / "runs/000002.json").read_text())
    assert [stage["name"] for stage in run["stages"]] == ["train tokenizer", "count what is rare", "encode"]
    assert run["counters"] == {
        "encode/tokens": sum(sum(file.run_tokens or ()) for file in snapshot.select("tokens")),
        "encode/shards": 7,
        "encode/shards_reused": 0,
        "scores/documents": 12,
        "scores/documents_sampled": 12,
    }


def test_training_documents_have_scores_and_evidence_their_quantiles(write_corpus: Any, tmp_path: Path) -> None:
    snapshot = tokenize_corpus(write_corpus(tmp_path, TRAIN, HELDOUT), CONFIG)
    for lang in TRAIN:
        found = [read_table(tmp_path / file.path) for file in snapshot.select("tokens", lang=lang, split="train")]
        known = snapshot.languages[lang].scores["spm"]
        for name, quantiles in (("difficulty", known.difficulty), ("diversity", known.diversity)):
            values = [value for table in found for value in table[name].to_pylist()]
            assert len(values) == len(TRAIN[lang])
            assert all(value > 0 for value in values)
            assert len(quantiles) == 65
            assert (quantiles[0], quantiles[-1]) == pytest.approx((min(values), max(values)), rel=1e-8)
            assert list(quantiles) == sorted(quantiles)
    for file in snapshot.select("tokens", split="heldout"):
        table = read_table(tmp_path / file.path)
        assert table["difficulty"].to_pylist() == table["diversity"].to_pylist() == [None]


def test_without_scores_the_columns_are_null_and_the_tokens_the_same(write_corpus: Any, tmp_path: Path) -> None:
    off = CONFIG.model_copy(update={"scores": ScoresConfig(enabled=False)})
    one = tokenize_corpus(write_corpus(tmp_path / "a", TRAIN), CONFIG)
    two = tokenize_corpus(write_corpus(tmp_path / "b", TRAIN), off)
    assert one.tokenizers["spm"]["fingerprint"] == two.tokenizers["spm"]["fingerprint"]
    assert all(known.scores == {} for known in two.languages.values())
    for file in two.select("tokens"):
        a, b = (read_table(tmp_path / name / file.path) for name in "ab")
        assert b["difficulty"].null_count == b["diversity"].null_count == b.num_rows
        assert a.drop_columns(["difficulty", "diversity"]).equals(b.drop_columns(["difficulty", "diversity"]))


def test_two_processes_write_the_same_bytes(write_corpus: Any, tmp_path: Path) -> None:
    one, two = (write_corpus(tmp_path / name, TRAIN, HELDOUT) for name in ("one", "two"))
    first = tokenize_corpus(one, CONFIG, seed=0, workers=1)
    second = tokenize_corpus(two, CONFIG, seed=0, workers=2)
    assert files(one) == files(two)
    assert first == second
    assert files(one)[str(first.tokenizers["spm"]["path"])] == first.tokenizers["spm"]["hash"]


def test_work_that_is_done_is_not_done_again(write_corpus: Any, tmp_path: Path) -> None:
    root = write_corpus(tmp_path, TRAIN, HELDOUT)
    first = tokenize_corpus(root, CONFIG, seed=0, workers=1)
    stamps = {path: path.stat().st_mtime_ns for path in Path(root).glob("tokens/**/*.*")}
    assert tokenize_corpus(root, CONFIG, seed=0, workers=1) == first

    # As if the run had died before its commit, with one shard missing and one cut short.
    (Path(root) / "manifest.json").write_text(json.dumps({"format_version": 1, "current": 1}))
    missing = Path(root) / "tokens/spm/rus_Cyrl/000001-train-00000.arrow"
    short = Path(root) / "tokens/spm/zho_Hans/000001-train-00000.arrow"
    whole = missing.read_bytes(), short.read_bytes()
    missing.unlink()
    short.write_bytes(whole[1][:100])
    assert tokenize_corpus(root, CONFIG, seed=0, workers=1) == first
    assert (missing.read_bytes(), short.read_bytes()) == whole
    kept = {path for path in stamps if path not in (missing, short)}
    assert len(kept) == 6
    assert all(path.stat().st_mtime_ns == stamps[path] for path in kept)
    assert json.loads((Path(root) / "runs/000002.json").read_text())["counters"]["encode/shards_reused"] == 5


def test_two_tokenizers_live_side_by_side_and_none_is_overwritten(write_corpus: Any, tmp_path: Path) -> None:
    root = write_corpus(tmp_path, TRAIN)
    tokenize_corpus(root, CONFIG, seed=0, workers=1)
    before = files(root)
    other = TokenizerConfig(vocabulary=318)
    with pytest.raises(ConfigurationError, match=r"snapshot 2 .* another tokenizer named 'spm'.*new name"):
        tokenize_corpus(root, other, seed=0, workers=1)
    assert files(root) == before
    snapshot = tokenize_corpus(root, other.model_copy(update={"name": "small"}), seed=0, workers=1)
    assert (snapshot.number, snapshot.parent) == (3, 2)
    assert sorted(snapshot.tokenizers) == ["small", "spm"]
    assert sorted(snapshot.languages["eng_Latn"].tokens) == ["small", "spm"]
    assert {path: files(root)[path] for path in before} == before


def test_new_text_gets_a_new_tokenizer_of_the_same_name(write_corpus: Any, tmp_path: Path) -> None:
    root = write_corpus(tmp_path, TRAIN)
    first = tokenize_corpus(root, CONFIG, seed=0, workers=1)
    write_corpus(tmp_path, {"eng_Latn": ["Another text altogether, about rivers."] * 2}, number=3, parent=2)
    second = tokenize_corpus(root, CONFIG, seed=0, workers=1)
    assert second.number == 4
    assert second.tokenizers["spm"]["path"] != first.tokenizers["spm"]["path"]
    assert all((Path(root) / file.path).exists() for file in first.files)


def test_added_text_is_scored_by_the_statistics_of_before(write_corpus: Any, tmp_path: Path) -> None:
    first = tokenize_corpus(write_corpus(tmp_path, TRAIN, HELDOUT), CONFIG)
    before = files(tmp_path)
    again, new = TRAIN["eng_Latn"][0], "Un texte en français, sur la pluie."
    write_corpus(tmp_path, {"eng_Latn": [again], "fra_Latn": [new]}, number=3, parent=2, onto=first)
    second = tokenize_corpus(str(tmp_path), CONFIG)
    assert second.tokenizers == first.tokenizers
    assert {path: files(tmp_path)[path] for path in before} == before
    run = json.loads((tmp_path / "runs/000004.json").read_text())
    assert run["counters"]["encode/shards_reused"] == 7
    # English keeps the seven documents it began with, French begins with its one; other languages have nothing new.
    assert run["counters"]["scores/documents_sampled"] == 8
    assert run["counters"]["scores/documents"] == 14

    def difficulty(name: str) -> Any:
        return read_table(tmp_path / f"tokens/spm/{name}")["difficulty"].to_pylist()[0]

    # The same text, not one of the sample now: its own words make it expected.
    assert 0 < difficulty("eng_Latn/000003-train-00000.arrow") < difficulty("eng_Latn/000001-train-00000.arrow")
    assert second.languages["eng_Latn"].scores["spm"].difficulty[0] == difficulty("eng_Latn/000003-train-00000.arrow")
    assert second.languages["rus_Cyrl"].scores == first.languages["rus_Cyrl"].scores

    write_corpus(tmp_path, {"eng_Latn": [again]}, number=5, parent=4, onto=second)
    third = tokenize_corpus(str(tmp_path), CONFIG.model_copy(update={"scores": ScoresConfig(enabled=False)}))
    assert third.number == 6
    added = [difficulty(f"eng_Latn/{number:06d}-train-00000.arrow") for number in (3, 5)]
    assert added[0] == added[1]


def test_shards_of_an_older_version_stay_and_count_their_synthetic_tokens(write_corpus: Any, tmp_path: Path) -> None:
    first = tokenize_corpus(write_corpus(tmp_path, {"eng_Latn": TRAIN["eng_Latn"]}), CONFIG)
    for file in first.select("tokens"):
        table = read_table(tmp_path / file.path)
        metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
        counts = json.loads(metadata["counts"])
        del counts["synthetic_tokens"], metadata["scores"]
        metadata["counts"] = json.dumps(counts)
        old = table.select(["id", "tokens", "bytes"]).combine_chunks()
        with ShardWriter(tmp_path / file.path, token_schema(320), metadata=metadata) as writer:
            for part in old.to_batches():
                writer.write(part)
    before = files(tmp_path)
    write_corpus(tmp_path, {"eng_Latn": ["A river is a river."]}, number=3, parent=2, onto=first)
    second = tokenize_corpus(str(tmp_path), CONFIG)
    assert {path: files(tmp_path)[path] for path in before} == before
    old_files = [file for file in second.select("tokens") if file.path in before]
    assert [file.run_tokens for file in old_files] == [file.run_tokens for file in first.select("tokens")]
    known = second.languages["eng_Latn"]
    assert known.synthetic_tokens == {"spm": 0}
    assert len(set(known.scores["spm"].difficulty)) == 1  # the one document that has a score


def test_a_damaged_shard_of_an_earlier_snapshot_is_named(write_corpus: Any, tmp_path: Path) -> None:
    first = tokenize_corpus(write_corpus(tmp_path, TRAIN), CONFIG)
    whole = files(tmp_path)
    write_corpus(tmp_path, {"eng_Latn": ["A river is a river."]}, number=3, parent=2, onto=first)
    damaged = tmp_path / "tokens/spm/rus_Cyrl/000001-train-00000.arrow"
    damaged.write_bytes(damaged.read_bytes()[:100])
    with pytest.raises(CorpusError, match=r"rus_Cyrl/000001-train-00000.arrow is damaged.*Remove the file"):
        tokenize_corpus(str(tmp_path), CONFIG)
    damaged.unlink()
    tokenize_corpus(str(tmp_path), CONFIG)
    assert {path: files(tmp_path)[path] for path in whole} == whole


def test_a_vocabulary_larger_than_the_sample_supports_is_a_warning(write_corpus: Any, tmp_path: Path) -> None:
    snapshot = tokenize_corpus(write_corpus(tmp_path, TRAIN), TokenizerConfig(vocabulary=9000), seed=0, workers=1)
    size = snapshot.tokenizers["spm"]["vocabulary"]
    assert 300 < size < 1000
    assert snapshot.warnings == [f"tokenizer 'spm' has {size} pieces instead of 9,000: the sample supports no more"]


def test_an_object_store(write_corpus: Any, tmp_path: Path) -> None:
    local = tokenize_corpus(write_corpus(tmp_path, TRAIN), CONFIG, seed=0, workers=1)
    root = write_corpus("memory://tokenize-job", TRAIN)
    assert tokenize_corpus(root, CONFIG, seed=0, workers=1) == local
    assert Storage(root).exists(local.select("tokens")[0].path)


def test_nothing_to_tokenize(write_corpus: Any, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no corpus"):
        tokenize_corpus(str(tmp_path / "nowhere"), CONFIG, seed=0, workers=1)
    with pytest.raises(CorpusError, match="no training text"):
        tokenize_corpus(write_corpus(tmp_path / "empty", {}, HELDOUT), CONFIG, seed=0, workers=1)
