from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from sampler.config import SamplerConfig
from trainer.config import TrainConfig
from trainer.evaluate import evaluate
from trainer.heldout.stopping import LanguageStops, own_rates
from trainer.loop import train
from trainer.model.transformer import Transformer
from trainer.optimiser.build import make_optimiser
from trainer.run.logs import read_metrics
from trainer.run.outcome import Summary

SETTINGS: dict[str, Any] = {
    "steps": 20,
    "rows": 4,
    "threads": 1,
    "model": {"width": 16, "layers": 1, "heads": 2, "gate": "static"},
    "log": {"every": 5, "tensorboard": False},
    "heldout": {"every": 2, "rows": None},
    "checkpoint": {"every": 5, "keep": 20},
}


def run(corpus: str, folder: Path, stop_after: int | None = None, **changes: Any) -> Summary:
    sampler = SamplerConfig.model_validate(
        {"row_tokens": 32, "block_rows": 4, "mixture": "uniform", "feedback": {"every": 1, "delay": 0}}
    )
    config = TrainConfig.model_validate({**SETTINGS, **changes})
    return train(corpus, str(folder), config, sampler, tokenizer="bytes", seed=0, stop_after=stop_after)


def stops(folder: Path) -> list[dict[str, Any]]:
    return [line for line in read_metrics(folder / "metrics.jsonl") if line["kind"] == "early_stop"]


def own(folder: Path, step: int, language: int) -> dict[str, torch.Tensor]:
    found = load_file(folder / "checkpoints" / f"{step:08d}" / "model.safetensors")
    return {name: found[f"blocks.0.adapter.{name}"][language] for name in ("down", "up", "gate_bias")}


STOP = {"patience": 1, "min_improvement": 0.15, "min_bytes": 1, "action": "stop_learning"}
FAST = {"learning_rate": 0.05}


def test_a_language_that_a_later_stage_brings_in_has_not_stopped_before() -> None:
    config = TrainConfig.model_validate({"early_stop": {**STOP, "action": "report"}, "model": SETTINGS["model"]})
    model = Transformer(config.model, 8, 2)
    optimiser = make_optimiser(model, config.optimiser, 0.1)
    found = LanguageStops(config, model, optimiser, ["a", "late"], [10, 10], nullcontext)

    def line(step: int, a: float, late: float) -> dict[str, Any]:
        figures = {"a": a, "late": late}
        return {"step": step, "languages": {tag: {"bits_per_byte": x, "bytes": 100.0} for tag, x in figures.items()}}

    assert found.observe(line(0, 5.0, 5.0)) is None
    assert found.observe(line(2, 4.0, 5.5), waiting=["late"]) is None
    stopped = found.observe(line(4, 3.0, 5.5))
    assert stopped is not None
    assert stopped["languages"] == {"late": {"bits_per_byte": 5.5, "best_bits_per_byte": 5.0, "best_step": 0}}


def test_a_stopped_language_moves_no_more_and_the_others_get_its_rows(tiny_corpus: str, tmp_path: Path) -> None:
    summary = run(tiny_corpus, tmp_path / "whole", optimiser=FAST, early_stop=STOP)
    (first, *_) = stops(tmp_path / "whole")
    lang = min(first["languages"])
    at = first["step"]
    assert at < summary.step
    index = sorted(["eng_Latn", "swh_Latn", "ell_Grek"]).index(lang)
    saved = [step for step in (5, 10, 15) if at <= step < summary.step]
    assert saved
    held = [own(tmp_path / "whole", step, index) for step in saved]
    assert all(torch.equal(held[0][name], later[name]) for later in held for name in later)
    changes = [line for line in read_metrics(tmp_path / "whole" / "metrics.jsonl") if line["kind"] == "mixture"]
    (change,) = [line for line in changes if line["step"] == at]
    assert change["shares"][lang] == 0.0
    assert change["reason"].startswith("by hand: stopped learning")
    assert sum(change["shares"].values()) == pytest.approx(1)

    run(tiny_corpus, tmp_path / "parts", optimiser=FAST, early_stop=STOP, stop_after=at + 1)
    run(tiny_corpus, tmp_path / "parts", optimiser=FAST, early_stop=STOP)
    name = f"checkpoints/{summary.step:08d}/model.safetensors"
    one, other = (load_file(tmp_path / folder / name) for folder in ("whole", "parts"))
    assert all(torch.equal(value, other[key]) for key, value in one.items())
    assert stops(tmp_path / "whole") == stops(tmp_path / "parts")


def test_a_run_ends_when_all_have_stopped_and_its_figures_are_those_of_its_weights(
    tiny_corpus: str, tmp_path: Path
) -> None:
    # Nothing falls by 9 bits: all stop after two evaluations, with the figures of step 0 as the best.
    early = {"patience": 2, "min_improvement": 9.0, "min_bytes": 1, "action": "keep_best"}
    summary = run(tiny_corpus, tmp_path, early_stop=early, average={"decay": 0.5})
    assert (summary.step, summary.finished) == (4, True)
    assert [line["step"] for line in stops(tmp_path)] == [4]
    assert summary.early_stop is not None
    assert {known["best_step"] for known in summary.early_stop.values()} == {0}
    assert {known["stopped_at"] for known in summary.early_stop.values()} == {4}
    evidence = json.loads((tmp_path / "evidence.json").read_text())
    assert {lang: known["early_stop"] for lang, known in evidence.items()} == summary.early_stop
    again = evaluate(str(tmp_path), tiny_corpus)
    for lang, figures in summary.final["languages"].items():
        assert again["languages"][lang]["bits_per_byte"] == figures["bits_per_byte"]
    before = json.loads((tmp_path / "summary.json").read_text())
    assert run(tiny_corpus, tmp_path, early_stop=early, average={"decay": 0.5}).step == 4
    assert json.loads((tmp_path / "summary.json").read_text())["final"] == before["final"]


def test_the_best_rows_are_taken_where_they_are_better(tiny_corpus: str, tmp_path: Path) -> None:
    # The rate of the last steps is far too high, so what the adapters learnt last is worse than what they knew before.
    settings: dict[str, Any] = {
        "optimiser": {"learning_rate": 1.0},
        "schedule": {"kind": "constant", "warmup": 1.0, "decay": 0.0},
    }
    early = {"patience": 9, "min_bytes": 1, "min_improvement": 0.0}
    plain = run(tiny_corpus, tmp_path / "plain", **settings, early_stop={**early, "action": "report"})
    kept = run(tiny_corpus, tmp_path / "kept", **settings, early_stop=early)
    assert kept.early_stop is not None
    taken = [lang for lang, known in kept.early_stop.items() if known["best_rows"]]
    for lang, figures in kept.final["languages"].items():
        before = plain.final["languages"][lang]["bits_per_byte"]
        assert figures["bits_per_byte"] < before if lang in taken else figures["bits_per_byte"] == before
    assert taken


def test_rates_of_languages_follow_their_text(tiny_corpus: str, tmp_path: Path) -> None:
    assert own_rates([100, 25, 4, 0], 0.5) == pytest.approx([1.0, 0.5, 0.2, 0.1])
    assert own_rates([100, 25], 0.0) == [1.0, 1.0]
    slow: dict[str, Any] = {"optimiser": {"language_rate_power": 1.0}, "steps": 1, "checkpoint": {"every": 1}}
    run(tiny_corpus, tmp_path / "slow", **slow)
    run(tiny_corpus, tmp_path / "same", **{**slow, "optimiser": {}})
    # Greek has about a twelfth of the English text; English, the largest, moves as before.
    tags = sorted(["eng_Latn", "swh_Latn", "ell_Grek"])
    same, less = (own(tmp_path / name, 1, tags.index("eng_Latn"))["up"] for name in ("same", "slow"))
    assert torch.equal(same, less)
    same, less = (own(tmp_path / name, 1, tags.index("ell_Grek"))["up"] for name in ("same", "slow"))
    assert 0 < less.norm() < 0.3 * same.norm()
