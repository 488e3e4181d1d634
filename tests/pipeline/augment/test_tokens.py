"""Tokens over a synthetic layer: the vocabulary and the tokens of natural text do not know of it."""

from __future__ import annotations

from pathlib import Path

from corpus.hashing import file_hash
from corpus.manifest import Snapshot
from corpus.shards import read_table
from evenglot.verify.corpus_files import verify_corpus
from pipeline.tokenizer import tokenize_corpus
from pipeline.tokenizer.config import TokenizerConfig
from tests.pipeline.augment.augmented import ENGLISH, SWAHILI, augmented, natural, settings

CONFIG = TokenizerConfig(vocabulary=400)
BUDGET = {"below_share": None, "least_bytes": 100, "total_share": None}


def tokens(root: Path, snapshot: Snapshot) -> dict[str, str]:
    """Hash of every token shard, by path."""
    return {file.path: file_hash(root / file.path) for file in snapshot.select("tokens")}


def test_layers_come_and_go_over_the_same_vocabulary(tmp_path: Path, model: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain, layered = tmp_path / "a/corpus", tmp_path / "b/corpus"
    for root in (plain, layered):
        natural(root, english=20)
    before = tokenize_corpus(str(plain), CONFIG)
    first = augmented(layered, settings(model))
    one = tokenize_corpus(str(layered), CONFIG)
    assert first.augmentation is not None
    made = {f"tokens/spm/{path.removeprefix('text/')}" for path in first.augmentation.shards}
    found = tokens(layered, one)
    assert made <= set(found)
    assert {path: digest for path, digest in found.items() if path not in made} == tokens(plain, before)
    assert one.tokenizers["spm"]["hash"] == before.tokenizers["spm"]["hash"]
    swahili = one.languages[SWAHILI]
    assert 0 < swahili.synthetic_tokens["spm"] < swahili.tokens["spm"]
    assert swahili.tokens["spm"] - swahili.synthetic_tokens["spm"] == before.languages[SWAHILI].tokens["spm"]
    assert one.languages[ENGLISH].synthetic_tokens["spm"] == 0
    for path in made:
        assert all(read_table(layered / path).column("synthetic").to_pylist())
    # The same layer is there already, although tokens lie over it; another one takes its place.
    assert augmented(layered, settings(model)) == one
    second = augmented(layered, settings(model, budget={**BUDGET, "share": 0.3}))
    two = tokenize_corpus(str(layered), CONFIG)
    assert two.tokenizers["spm"] == one.tokenizers["spm"]
    assert second.augmentation is not None
    assert second.augmentation.shards != first.augmentation.shards
    again = tokens(layered, two)
    assert {path: again.get(path) for path in tokens(plain, before)} == tokens(plain, before)
    assert not made & set(again)
    assert verify_corpus(str(layered)).ok
