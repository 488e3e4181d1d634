"""The benchmark of synthetic text: what each arm reads, and its table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import augmentation
from benchmarks.augmentation import Setting, languages, main, sampler, table
from corpus.manifest import LanguageEvidence


def one(arm: str, seed: int, **bits: float) -> dict[str, Any]:
    return {"arm": arm, "seed": seed, "bits_per_byte": bits}


def test_differences_are_between_runs_of_one_seed_and_the_largest_language_is_not_in_the_mean() -> None:
    runs = [
        one("natural", 0, swh=3.0, lug=4.0, eng=2.0),
        one("all", 0, swh=2.9, lug=4.2, eng=2.5),
        one("natural", 1, swh=3.2, lug=4.2, eng=2.0),
        one("all", 1, swh=3.0, lug=4.2, eng=2.1),
    ]
    assert table(runs).splitlines() == [
        "| | natural | all |",
        "|---|---:|---:|",
        "| mean | 3.600 | -0.025 (+0.050, -0.100) |",
        "| swh | 3.100 | -0.150 (-0.100, -0.200) |",
        "| lug | 4.100 | +0.100 (+0.200, +0.000) |",
        "| eng | 2.000 | +0.300 (+0.500, +0.100) |",
    ]


def test_arms_differ_in_the_synthetic_text_they_may_see() -> None:
    setting = Setting(steps=10, rows=2, row_tokens=8)
    tags = ("eng_Latn", "lug_Latn")
    assert sampler("natural", setting, tags).documents.max_synthetic_share == 0
    assert sampler("all", setting, tags).documents.max_synthetic_share == 1
    first, second = sampler("all, then natural", setting, tags).stages
    assert first.tokens == 80
    assert first.documents is not None
    assert first.documents.max_synthetic_share == 1
    assert second.tokens is None
    assert second.documents is not None
    assert second.documents.max_synthetic_share == 0


class Known:
    """A snapshot's evidence."""

    def __init__(self, **tokens: tuple[int, int, int]) -> None:
        self.languages = {
            lang: LanguageEvidence(tokens={"spm": all_}, synthetic_tokens={"spm": made}, heldout_bytes=heldout)
            for lang, (all_, made, heldout) in tokens.items()
        }


def test_languages_are_those_with_synthetic_text_beside_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Known(swh=(900, 400, 5000), lug=(800, 300, 3999), kam=(70, 30, 4000), eng=(9000, 0, 9000), fra=(99, 0, 1))
    monkeypatch.setattr(augmentation, "read_snapshot", lambda corpus: known)
    assert languages("here", "spm", Setting()) == (["kam", "swh"], "eng")
    assert languages("here", "spm", Setting(), ("swh",)) == (["swh"], "eng")
    with pytest.raises(ValueError, match="lug has no synthetic text in tokens of 'spm', or too little held-out text"):
        languages("here", "spm", Setting(), ("lug",))
    with pytest.raises(ValueError, match="here has no synthetic text in tokens of 'other': augment and tokenize"):
        languages("here", "other", Setting())


def test_files_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tagged.json"
    path.write_text(json.dumps({"runs": [one("natural", 0, swh=3.0, eng=2.0)]}))
    assert main(["--show", str(path)]) == 0
    assert capsys.readouterr().out == (
        "tagged\n\n| | natural |\n|---|---:|\n| mean | 3.000 |\n| swh | 3.000 |\n| eng | 2.000 |\n\n"
    )


def test_an_unknown_arm_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--corpus", "x", "--json", "y", "--arms", "most"])
    assert "there is no arm 'most'" in capsys.readouterr().err
