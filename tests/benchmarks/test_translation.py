"""The benchmark of translation does the same work in every arm, and says how much."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.translation import ARMS, RANDOM_LIMIT, main, read_sentences, table


def test_sentences_are_different_lines_of_middling_length(tmp_path: Path) -> None:
    lines = [
        "short",
        "a sentence of a fair length",
        "a sentence of a fair length",
        "x" * 301,
        "another one of them, fair",
    ]
    (tmp_path / "texts").write_text("\n".join(lines), encoding="utf-8")
    assert read_sentences(tmp_path / "texts", 9) == ["a sentence of a fair length", "another one of them, fair"]
    assert len(read_sentences(None, 60)) == 60


def test_all_arms_make_the_same_tokens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--json", str(tmp_path / "figures.json"), "--quick", "--threads", "1"])
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert figures["sentences"] == 60
    assert 0 < figures["tokens"] <= 60 * RANDOM_LIMIT
    assert list(figures["seconds"]) == ["processor", "wall"]
    assert all(list(seconds) == list(ARMS) for seconds in figures["seconds"].values())
    for ratios in figures["ratio"].values():
        assert list(ratios) == list(ARMS)
        assert ratios["raw"] == 1.0
        assert min(ratios.values()) > 0
    assert list(figures["start"]) == ["engine_load", "beam_job", "beam_job_two_workers", "raw_load"]
    # Two more processes have begun, and imported what they need.
    assert figures["start"]["beam_job_two_workers"]["processor"] > figures["start"]["beam_job"]["processor"]
    assert capsys.readouterr().out.strip() == table(figures)
