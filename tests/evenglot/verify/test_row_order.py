from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.errors import CorpusError
from evenglot.verify.row_order import verify_order
from pipeline.tokenizer import TokenizerConfig, tokenize_corpus
from sampler import CurriculumStream, SamplerConfig
from sampler.passes import Passes
from sampler.quota import Quotas

CONFIG = SamplerConfig(row_tokens=16, block_rows=8, mixture="temperature")


@pytest.fixture(scope="module")
def tokenized(tmp_path_factory: pytest.TempPathFactory, written_corpus: Any) -> str:
    root = written_corpus(tmp_path_factory.mktemp("order") / "corpus")
    tokenize_corpus(str(root), TokenizerConfig(vocabulary=320), seed=0, workers=1)
    return str(root)


def wrong(report: Any) -> dict[str, list[str]]:
    return {check.name: list(check.problems) for check in report.checks if check.problems}


def test_every_way_of_reading_gives_the_same_rows(tokenized: str) -> None:
    seen: list[tuple[str, int, int]] = []
    report = verify_order(tokenized, CONFIG, 3, lambda *step: seen.append(step))
    assert report.ok, report.problems
    assert (report.rows, report.resumed) == (53, (1, 7, 8, 9, 17, 27, 52))
    assert report.changed == (16, 32)
    assert report.dealt[1] == "2 ranks with 3 workers and 5 rows each"
    assert (report.blocks, report.languages) == (6, 3)
    assert 0 < report.furthest < 2
    assert 0 < report.resume_seconds < 5
    assert 200 < report.state_bytes < 2000
    assert {step[0] for step in seen} == {"order", "passes"}
    assert seen[-1] == ("passes", 3, 3)
    assert {check.name: check.passed for check in report.checks} == {
        "resume": 7, "dealing": 4, "stopped twice": 1, "stages": 0, "shares": 6, "passes": 6
    }  # fmt: skip


VARIANTS: dict[str, dict[str, Any]] = {
    "best fit": {"packing": "best_fit"},
    "mixed rows": {"rows": "mixed"},
    "mixed rows by best fit": {"rows": "mixed", "packing": "best_fit"},
    "a view": {"documents": {"rehydrate": {2: 3}, "max_times": 3}},
    "feedback": {"feedback": {"policy": "progress", "every": 4, "delay": 2}},
    "stages": {
        "stages": [
            {"name": "broad", "tokens": 8 * 16 * 20, "mixture": "proportional"},
            {"name": "late", "mixture": {"swh_Latn": 0.5, "heb_Hebr": 0.5}, "transition": 512, "documents": {
                "rehydrate": {2: 3}}},
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
def test_every_way_to_pack_and_to_schedule_holds(tokenized: str, settings: dict[str, Any]) -> None:
    config = SamplerConfig.model_validate({**CONFIG.model_dump(), **settings})
    report = verify_order(tokenized, config, 3)
    assert report.ok, report.problems
    assert report.languages == 3
    if "stages" in settings:
        assert report.stages == (160,)
        assert {check.name: check.passed for check in report.checks}["stages"] == 2


def test_a_state_that_is_lost_is_found(tokenized: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(self: CurriculumStream, state: Mapping[str, Any]) -> None:
        self.seek(0)

    monkeypatch.setattr(CurriculumStream, "load_state", forget)
    report = verify_order(tokenized, CONFIG, 3, rows=50)
    assert report.problems[0] == "stopped before row 1 and resumed: 50 rows instead of 49"
    assert "stopped twice" in wrong(report)


def test_a_state_without_its_changes_is_found(tokenized: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(self: CurriculumStream, state: Mapping[str, Any]) -> None:
        self.seek(state["row"])

    monkeypatch.setattr(CurriculumStream, "load_state", forget)
    found = wrong(verify_order(tokenized, CONFIG, 3, rows=50))
    # Before the changes nothing but the row is needed, so that the early states do no harm.
    assert found["resume"][0].startswith("stopped before row 16 and resumed: 22 of 34 rows differ")


def test_an_order_that_depends_on_the_reader_is_found(tokenized: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = CurriculumStream.__init__
    made = iter(range(1000))

    def drifting(self: CurriculumStream, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **{**kwargs, "seed": next(made)})

    monkeypatch.setattr(CurriculumStream, "__init__", drifting)
    monkeypatch.setattr(CurriculumStream, "load_state", lambda self, state: self.seek(state["row"]))
    found = wrong(verify_order(tokenized, CONFIG, 3, rows=50))
    assert any(problem.startswith("dealt to 2 ranks with 3 workers") for problem in found["dealing"])


def test_an_order_that_repeats_a_document_is_found(tokenized: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Passes.locate

    def broken(self: Passes, offset: int) -> Any:
        leg, inside = original(self, offset)
        lengths = np.diff(leg.bounds)
        pairs = [(i, j) for i in range(len(lengths)) for j in range(i) if lengths[i] == lengths[j]]
        starts = leg.starts.copy()
        for i, j in pairs:
            if starts[i] != starts[j]:  # a leg may hold several passes
                starts[i] = starts[j]
                break
        return leg._replace(starts=starts), inside

    monkeypatch.setattr(Passes, "locate", broken)
    problems = wrong(verify_order(tokenized, CONFIG, 3, rows=50))["passes"]
    assert any("over eng_Latn and the shards differ in " in problem for problem in problems)


def test_quotas_that_starve_a_language_are_found(tokenized: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unfair(self: Quotas, block: int, served: Any) -> Any:
        given = np.zeros_like(served)
        given[int(np.argmax(self.weights(block)))] = CONFIG.block_rows
        return given

    monkeypatch.setattr(Quotas, "_allot", unfair)
    found = wrong(verify_order(tokenized, CONFIG, 3, rows=50))
    assert list(found) == ["shares"]
    assert found["shares"][0].startswith("at the end of block 0 eng_Latn is ")


def test_a_corpus_without_tokens(corpus: Path) -> None:
    with pytest.raises(CorpusError, match="no token shards"):
        verify_order(str(corpus), CONFIG, 0)


def test_the_snapshot_and_the_tokenizer_asked_for_are_the_ones_read(written_corpus: Any, tmp_path: Path) -> None:
    root = str(written_corpus(tmp_path / "corpus"))
    tokenize_corpus(root, TokenizerConfig(vocabulary=320), seed=0, workers=1)
    tokenize_corpus(root, TokenizerConfig(vocabulary=321, name="other"), seed=0, workers=1)
    assert verify_order(root, CONFIG, 3, rows=20).tokenizer == "other"
    assert verify_order(root, CONFIG, 3, tokenizer="spm", rows=20).tokenizer == "spm"
    assert verify_order(root, CONFIG, 3, snapshot=2, rows=20).tokenizer == "spm"
    with pytest.raises(CorpusError, match=r"snapshot 1 of .* has no token shards"):
        verify_order(root, CONFIG, 3, snapshot=1, rows=20)


def test_the_command_says_what_it_compared(tokenized: str, cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"sampler.row_tokens": 16, "sampler.block_rows": 8, "tokenizer.name": "spm"}
    short = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    done = cli("verify", tokenized, "--resume", *short)
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    for text in ("resume ok (53 rows, gone on with before rows 1, 7, 8", "passes ok (two passes over 3 languages"):
        assert text in words
    result = json.loads(cli("verify", tokenized, "--resume", "--json", *short).stdout)
    assert result["ok"] is True
    assert result["order"]["changed"] == [16, 32]
    monkeypatch.setattr(CurriculumStream, "load_state", lambda self, state: self.seek(0))
    done = cli("verify", tokenized, "--resume", *short)
    assert done.returncode == 4
    assert "the sampler's order is not the same every time: stopped before row 1 and resumed" in done.stderr
