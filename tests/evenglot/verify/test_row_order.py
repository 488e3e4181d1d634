from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import CorpusError
from evenglot.verify.row_order import verify_order
from pipeline.tokenizer import TokenizerConfig, tokenize_corpus
from sampler import CurriculumStream, SamplerConfig

CONFIG = SamplerConfig(row_tokens=16, block_rows=8, mixture="uniform")


@pytest.fixture
def tokenized(corpus: Path) -> str:
    tokenize_corpus(str(corpus), TokenizerConfig(vocabulary=320), seed=0, workers=1)
    return str(corpus)


def test_rows_are_the_same_resumed_and_dealt(tokenized: str) -> None:
    seen: list[tuple[str, int, int]] = []
    report = verify_order(tokenized, CONFIG, 3, lambda *step: seen.append(step), rows=50)
    assert report.ok
    assert (report.rows, report.ranks, report.resumed) == (50, 3, (1, 8, 16, 26, 49))
    assert seen[-1] == ("order", 7, 7)


def test_a_state_that_is_lost_is_found(tokenized: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(self: CurriculumStream, state: Mapping[str, Any]) -> None:
        self.seek(0)

    monkeypatch.setattr(CurriculumStream, "load_state", forget)
    report = verify_order(tokenized, CONFIG, 3, rows=50)
    assert not report.ok
    assert report.problems[0] == "stopped before row 1 and resumed: 51 rows instead of 50"


def test_an_order_that_depends_on_the_seed_of_the_reader_is_found(
    tokenized: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = CurriculumStream.__init__
    made = iter(range(1000))

    def drifting(self: CurriculumStream, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **{**kwargs, "seed": next(made)})

    monkeypatch.setattr(CurriculumStream, "__init__", drifting)
    monkeypatch.setattr(CurriculumStream, "load_state", lambda self, state: self.seek(state["row"]))
    report = verify_order(tokenized, CONFIG, 3, rows=50)
    assert any(problem.startswith("dealt to 3 readers: ") for problem in report.problems)


def test_a_corpus_without_tokens(corpus: Path) -> None:
    with pytest.raises(CorpusError, match="no token shards"):
        verify_order(str(corpus), CONFIG, 0)


def test_the_snapshot_and_the_tokenizer_asked_for_are_the_ones_read(tokenized: str) -> None:
    tokenize_corpus(tokenized, TokenizerConfig(vocabulary=321, name="other"), seed=0, workers=1)
    assert verify_order(tokenized, CONFIG, 3, rows=20).tokenizer == "other"
    assert verify_order(tokenized, CONFIG, 3, tokenizer="spm", rows=20).tokenizer == "spm"
    assert verify_order(tokenized, CONFIG, 3, snapshot=2, rows=20).tokenizer == "spm"
    with pytest.raises(CorpusError, match=r"snapshot 1 of .* has no token shards"):
        verify_order(tokenized, CONFIG, 3, snapshot=1, rows=20)
