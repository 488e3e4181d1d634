from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sampler import CurriculumStream, SamplerConfig
from trainer.config import TrainConfig
from trainer.loop import train
from trainer.run.logs import read_metrics
from trainer.run.sampled import sampled_line, stage_shares

STAGED = SamplerConfig.model_validate(
    {
        "row_tokens": 32,
        "block_rows": 8,
        "mixture": "uniform",
        "stages": [
            {"name": "broad", "tokens": 16 * 32},
            {"name": "focused", "mixture": {"swh_Latn": 0.75, "ell_Grek": 0.25}},
        ],
    }
)


@pytest.fixture
def stream(tiny_corpus: str) -> CurriculumStream:
    return CurriculumStream(tiny_corpus, tokenizer="bytes", config=STAGED, seed=0)


def test_the_line_tells_stage_shares_and_passes_before_a_row(stream: CurriculumStream) -> None:
    early = sampled_line(stream, step=3, row=12, tokens=384)
    assert (early["stage"], early["row"], early["tokens"]) == ("broad", 12, 384)
    assert {lang: round(one["asked"], 6) for lang, one in early["languages"].items()} == dict.fromkeys(
        ("ell_Grek", "eng_Latn", "swh_Latn"), 0.333333
    )
    late = sampled_line(stream, step=8, row=32, tokens=1024)
    assert (late["stage"], late["stages"]) == ("focused", {"broad": 0, "focused": 16})
    swahili = late["languages"]["swh_Latn"]
    assert swahili["asked"] == pytest.approx((16 / 3 + 12) / 32)
    assert abs(swahili["got"] - swahili["asked"]) < 1 / 32
    assert swahili["passes"] == pytest.approx(swahili["got"] * 1024 / stream.sizes["swh_Latn"])


def test_the_line_tells_what_the_cap_on_synthetic_text_leaves_out(
    stream: CurriculumStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = stream.stages
    monkeypatch.setattr(stream, "stages", lambda: [stage._replace(left_out={"swh_Latn": 70}) for stage in found()])
    languages = sampled_line(stream, step=3, row=12, tokens=384)["languages"]
    assert languages["swh_Latn"]["left_out_tokens"] == 70
    assert "left_out_tokens" not in languages["eng_Latn"]


def test_shares_of_each_stage(stream: CurriculumStream) -> None:
    assert stage_shares(stream, 16) == {}
    stages = stage_shares(stream, 32)["swh_Latn"]
    assert list(stages) == ["broad", "focused"]
    assert stages["focused"]["share_asked"] == pytest.approx(0.75, abs=1 / 16)
    assert stages["broad"]["tokens"] + stages["focused"]["tokens"] == pytest.approx(32 * (16 / 3 + 12), abs=64)


def test_a_run_logs_what_was_sampled_and_keeps_it_as_evidence(tiny_corpus: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "steps": 8,
        "rows": 4,
        "threads": 1,
        "model": {"width": 16, "layers": 1, "heads": 2},
        "log": {"every": 4, "tensorboard": False},
        "heldout": {"every": 4, "rows": 2},
    }
    train(tiny_corpus, str(tmp_path), TrainConfig.model_validate(settings), STAGED, tokenizer="bytes", seed=0)
    sampled = [line for line in read_metrics(tmp_path / "metrics.jsonl") if line["kind"] == "sampler"]
    assert [(line["step"], line["row"], line["stage"]) for line in sampled] == [(4, 16, "broad"), (8, 32, "focused")]
    packing = json.loads((tmp_path / "summary.json").read_text())["packing"]
    assert (packing["rows"], packing["waste"]) == (32, 0)
    assert 0 < packing["documents_cut_share"] <= 1
    assert 0 < packing["tokens_cut_share"] <= 1
    evidence = json.loads((tmp_path / "evidence.json").read_text())
    assert evidence["eng_Latn"]["share_realised"] == sampled[-1]["languages"]["eng_Latn"]["got"]
    assert set(evidence["swh_Latn"]["stages"]) == {"broad", "focused"}
    assert evidence["eng_Latn"]["stages"]["focused"]["tokens"] == 0
