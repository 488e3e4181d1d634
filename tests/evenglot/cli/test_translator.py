"""What ``evenglot translator`` prints; the work behind it is tested beside ``evenglot/translator.py``."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from evenglot.cli.translator_results import fitted_text, scores_text

SCORES: dict[str, Any] = {
    "eng_Latn-swh_Latn": {
        "sentences": 1159,
        "training_pairs": 4234,
        "failed": 2,
        "model": {"chrf": 31.26, "interval": 0.6},
        "copy": {"chrf": 15.0, "interval": 0.31},
        "word_by_word": {"chrf": 25.5, "interval": 0.4},
    },
    "eng_Latn-mas_Latn": {
        "sentences": 80,
        "training_pairs": 146,
        "failed": 0,
        "model": {"chrf": 9.0, "interval": 1.0},
        "copy": {"chrf": 10.0, "interval": 1.0},
        "word_by_word": {"chrf": 12.0, "interval": 1.0},
    },
}


def _shown(text: Any) -> list[str]:
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(text)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_scores_stand_beside_the_baselines() -> None:
    lines = _shown(scores_text({"model": "a@1", "part": "test", "directions": SCORES, "written": "run/scores.json"}))
    assert lines[1].split() == ["eng_Latn-swh_Latn", "4,234", "1,159", "31.3", "±", "0.6", "15.0", "±", "0.3", "25.5",
                                "±", "0.4"]  # fmt: skip
    assert lines[3:] == [
        "",
        "a@1 on the test part",
        "2 sentences could not be translated and count as empty",
        "no better than a baseline: eng_Latn-mas_Latn",
        "written to run/scores.json",
    ]


def test_a_fit_says_what_it_learnt_from() -> None:
    fit = {
        "pairs": {"eng_Latn-swh_Latn": 4234},
        "parameters": 1_234_567,
        "shape": {"dimensions": 192, "encoder_layers": 2, "decoder_layers": 1},
        "vocabulary": 6000,
        "step": 900,
        "best_step": 700,
        "stopped": "no_improvement",
    }
    text = {"left_out": {"alone": {"eng_Latn": 3, "swh_Latn": 1}}}
    result = {"fit": fit, "text": text, "scores": {}, "seconds": 61.0, "name": "a@1", "model": "run/model"}
    assert _shown(fitted_text(result)) == [
        "",
        "4,234 training pairs; sentences left out: alone 4",
        "1,234,567 parameters (192 dimensions, 2 + 1 layers, 6,000 tokens); 900 steps (no better for a while), best "
        "after 700, in",
        "1 min 01 s",
        "model a@1 in run/model",
    ]


def test_a_mistake_is_one_line(evenglot: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    done = evenglot("translator", "fit", "--parallel", tmp_path / "no.jsonl", "--pairs", "eng-eng", "-o", tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert (
        done.stderr == "error: --pairs: translator.pairs: 'eng-eng' translates a language to itself, got ['eng-eng']\n"
    )
