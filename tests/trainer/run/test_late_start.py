"""Languages that join a run late and start from relatives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import Tensor

from corpus.errors import ConfigurationError
from sampler.config import SamplerConfig
from sampler.feedback.decisions import Feedback
from sampler.stream import CurriculumStream
from trainer.config import LateStartConfig, ModelConfig, OptimiserConfig, TrainConfig
from trainer.loop import train
from trainer.model.adapters import LanguageAdapter
from trainer.model.transformer import Transformer
from trainer.optimiser.build import make_optimiser
from trainer.optimiser.own_rows import forget_moments, take_over
from trainer.row_schedule import RowSchedule
from trainer.run.late_start import Joins
from trainer.run.logs import read_metrics
from trainer.run.outcome import Summary
from trainer.sharding import check_settings

ENG, SWH, ELL = 0, 1, 2
"""The numbers that the sampler gives the languages, those of the first stage in front."""

SETTINGS: dict[str, Any] = {
    "steps": 12,
    "rows": 4,
    "threads": 1,
    "model": {"width": 16, "layers": 2, "heads": 2, "gate": "static", "norm_gains": True},
    "optimiser": {"learning_rate": 0.02},
    "log": {"every": 4, "tensorboard": False},
    "heldout": {"every": 12},
    "checkpoint": {"every": 1, "keep": 20},
}
STAGES: dict[str, Any] = {
    "row_tokens": 32,
    "block_rows": 12,
    "mixture": "uniform",
    "stages": [
        {"name": "first", "tokens": 24 * 32, "languages": ["eng_Latn", "swh_Latn"]},
        {"name": "second", "mixture": {"eng_Latn": 0.45, "swh_Latn": 0.45, "ell_Grek": 0.1}},
    ],
}
"""Six steps of two languages; Greek has one of the 12 rows of the third block, in one of the steps 6 to 8."""
FROM_BOTH = {"start": "relatives", "relatives": {"ell_Grek": ["eng_Latn", "swh_Latn"]}}
NEAREST = {"start": "nearest", "rows": 4}


def run(corpus: str, folder: Path, stop_after: int | None = None, **changes: Any) -> Summary:
    return train(
        corpus,
        str(folder),
        TrainConfig.model_validate({**SETTINGS, **changes}),
        SamplerConfig.model_validate(STAGES),
        tokenizer="bytes",
        seed=0,
        stop_after=stop_after,
    )


def saved(folder: Path, step: int, file: str = "model") -> dict[str, Tensor]:
    return load_file(folder / "checkpoints" / f"{step:08d}" / f"{file}.safetensors")


def starts(folder: Path) -> list[dict[str, Any]]:
    return [line for line in read_metrics(folder / "metrics.jsonl") if line["kind"] == "late_start"]


def stream(corpus: str, **changes: Any) -> CurriculumStream:
    config = SamplerConfig.model_validate({**STAGES, **changes})
    return CurriculumStream(corpus, tokenizer="bytes", config=config, seed=0)


@pytest.fixture(scope="module")
def whole(tiny_corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run to its end in which Greek starts from English and Swahili."""
    folder = tmp_path_factory.mktemp("whole")
    run(tiny_corpus, folder, late_start=FROM_BOTH, average={"decay": 0.5})
    return folder


@pytest.fixture(scope="module")
def joined(tiny_corpus: str) -> int:
    """The step, from 0, that holds the first Greek row."""
    found = stream(tiny_corpus)
    assert found.languages[ELL] == "ell_Grek"
    row = next(row for row in range(48) if found.row(row).language == ELL)
    assert 24 <= row < 36
    return row // 4


def test_a_language_joins_at_the_step_of_its_first_row(tiny_corpus: str, joined: int) -> None:
    both = ["eng_Latn", "swh_Latn"]
    whole_run = Joins(stream(tiny_corpus), RowSchedule(4))
    found = {step: whole_run.at(step) for step in range(12)}
    assert {step: names for step, (names, _) in found.items() if names} == {joined: ["ell_Grek"]}
    assert found[joined][1] == both
    for first in (joined, joined + 1):
        resumed = Joins(stream(tiny_corpus), RowSchedule(4))
        expected = ["ell_Grek"] if first == joined else []
        assert [name for step in range(first, 12) for name in resumed.at(step)[0]] == expected


def test_mixed_rows_and_feedback_do_not_disturb_the_joins(tiny_corpus: str) -> None:
    changes: dict[str, Any] = {"rows": "mixed", "feedback": {"policy": "progress", "every": 1, "delay": 0}}
    free = stream(tiny_corpus, rows="mixed")
    row = next(row for row in range(48) if (free.rows([row]).token_languages == ELL).any())
    waiting = stream(tiny_corpus, **changes)
    joins, feedback = Joins(waiting, RowSchedule(4)), Feedback(waiting)
    found = {}
    for step in range(9):
        while feedback.due(4 * step, 4):
            feedback.decide()
        found[step] = joins.at(step)[0]
        assert waiting.position == 4 * step
        waiting.rows(range(4 * step, 4 * step + 4))
    assert {step: names for step, names in found.items() if names} == {row // 4: ["ell_Grek"]}


def test_languages_with_a_share_from_the_beginning_are_not_late(tiny_corpus: str) -> None:
    shares = {"eng_Latn": 0.6, "swh_Latn": 0.35, "ell_Grek": 0.05}
    found = Joins(stream(tiny_corpus, stages=[], mixture=shares), RowSchedule(4))
    assert not found.late
    assert all(found.at(step) == ([], []) for step in range(12))


def test_a_language_takes_over_the_mean_and_the_optimiser_forgets_its_rows() -> None:
    torch.manual_seed(0)
    config = ModelConfig(width=8, layers=1, heads=2, gate="static", adapter_power=0.5)
    model = Transformer(config, 10, 3, [1, 100, 100])
    optimiser = make_optimiser(model, OptimiserConfig(), 0.1)
    torch.stack([(value * 3).sin().sum() for value in model.parameters()]).sum().backward()
    optimiser.step()
    adapter = model.blocks[0].adapter
    with torch.no_grad():
        adapter.gate_bias.copy_(torch.tensor([9.0, 1.0, 2.0]))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    moments = {name: value.clone() for name, value in optimiser.state(adapter.up).items()}
    take_over(model, 0, [1, 2])
    forget_moments(model, optimiser, 0)
    assert adapter.gate_bias.tolist() == [1.5, 1.0, 2.0]
    for name in ("down", "up"):
        now, then = getattr(adapter, name), before[f"blocks.0.adapter.{name}"]
        torch.testing.assert_close(now[0], (then[1] + then[2]) / 2)
        assert torch.equal(now[1:], then[1:])
    assert adapter.usable.sum(dim=1).tolist() == [1, 2, 2]
    for name in ("exp_avg", "exp_avg_sq"):
        now = optimiser.state(adapter.up)[name]
        assert not now[0].any()
        assert torch.equal(now[1:], moments[name][1:])
        assert moments[name][0].any()
    assert torch.equal(optimiser.state(adapter.up)["step"], moments["step"])


def test_starts_of_several_joins_are_kept_beside_each_other() -> None:
    torch.manual_seed(0)
    adapter = LanguageAdapter(3, 4, 2)
    for language in (2, 0):
        with torch.no_grad():
            adapter.up[language] = language + 1.0
        adapter.start_from(torch.tensor([number == language for number in range(3)]))
    assert adapter.deviation().tolist() == [0.0, 0.0, 0.0]
    other = LanguageAdapter(3, 4, 2)
    other.load_state_dict(adapter.state_dict())
    languages = torch.tensor([2, 0])
    assert other.start(languages)[1].count_nonzero() == 0
    other.set_start(languages, *adapter.start(languages))
    assert other.deviation().tolist() == [0.0, 0.0, 0.0]
    with torch.no_grad():
        other.up[0] += 0.5
    assert other.deviation().tolist() == [0.25 * 2 * 4 * 2, 0.0, 0.0]


def test_the_adapter_is_the_mean_of_its_relatives_when_its_rows_come(
    whole: Path, tiny_corpus: str, tmp_path: Path, joined: int
) -> None:
    assert starts(whole) == [
        {"kind": "late_start", "step": joined + 1, "languages": {"ell_Grek": {"from": ["eng_Latn", "swh_Latn"]}}}
    ]
    run(tiny_corpus, tmp_path, average={"decay": 0.5})
    assert starts(tmp_path) == []
    before, same = saved(whole, joined), saved(tmp_path, joined)
    assert all(torch.equal(value, same[name]) for name, value in before.items())
    methods = saved(whole, joined + 1, "methods")
    assert methods["late_start/languages"].tolist() == [ELL]
    for block in range(2):
        for part in ("down", "up"):
            value = before[f"blocks.{block}.adapter.{part}"]
            mean = torch.stack([value[ENG], value[SWH]]).mean(dim=0)
            assert torch.equal(methods[f"late_start/{block}/{part}"][0], mean)
            mean_of_means = saved(whole, joined, "methods")[f"average/blocks.{block}.adapter.{part}"][[ENG, SWH]].mean(
                0
            )
            # The running mean moves half the way to the weights in every late step.
            after = saved(whole, joined + 1)[f"blocks.{block}.adapter.{part}"][ELL]
            found = methods[f"average/blocks.{block}.adapter.{part}"][ELL]
            share = min(0.5, (1 + joined) / (10 + joined))
            torch.testing.assert_close(found, share * mean_of_means + (1 - share) * after)


def test_a_run_that_stops_before_or_after_the_join_comes_to_the_same(
    whole: Path, tiny_corpus: str, tmp_path: Path, joined: int
) -> None:
    for done in (joined, joined + 1):
        folder = tmp_path / str(done)
        run(tiny_corpus, folder, late_start=FROM_BOTH, average={"decay": 0.5}, stop_after=done)
        run(tiny_corpus, folder, late_start=FROM_BOTH, average={"decay": 0.5})
        assert_same(whole, folder)


def assert_same(one: Path, other: Path) -> None:
    for file in ("model", "optimizer", "methods"):
        expected, found = saved(one, 12, file), saved(other, 12, file)
        assert set(expected) == set(found)
        assert all(torch.equal(value, found[name]) for name, value in expected.items()), file
    assert starts(one) == starts(other)


SCRIPT = """
    import os, signal, sys
    from sampler.config import SamplerConfig
    from trainer.config import TrainConfig
    from trainer.loop import train

    corpus, folder, settings, sampler, at = sys.argv[1:]
    def progress(stage, done, total):
        if done == int(at):
            os.kill(os.getpid(), signal.SIGKILL)
    train(corpus, folder, TrainConfig.model_validate_json(settings), SamplerConfig.model_validate_json(sampler),
          tokenizer="bytes", seed=0, progress=progress)
"""


def test_the_nearest_adapter_is_found_and_a_killed_run_finds_it_again(
    tiny_corpus: str, tmp_path: Path, joined: int
) -> None:
    # Killed after the join and before the next checkpoint: the join is done and logged again, once.
    settings = {**SETTINGS, "late_start": NEAREST, "checkpoint": {"every": joined, "keep": 20}}
    script = textwrap.dedent(SCRIPT)
    arguments = [tiny_corpus, str(tmp_path / "killed"), json.dumps(settings), json.dumps(STAGES), str(joined + 1)]
    killed = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [line["step"] for line in starts(tmp_path / "killed")] == [joined + 1]
    for name in ("killed", "at once"):
        run(tiny_corpus, tmp_path / name, late_start=NEAREST, checkpoint={"every": joined, "keep": 20})
    assert_same(tmp_path / "at once", tmp_path / "killed")
    (line,) = starts(tmp_path / "killed")
    (found,) = line["languages"].values()
    assert set(found["losses"]) == {"core", "eng_Latn", "swh_Latn"}
    assert len(set(found["losses"].values())) == 3
    assert found["from"] == [min(found["losses"], key=lambda tag: found["losses"][tag])]


def test_what_does_not_fit_is_refused(tiny_corpus: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="names none"):
        LateStartConfig(start="relatives")
    with pytest.raises(ValidationError, match="set it to 'relatives'"):
        LateStartConfig(start="nearest", relatives={"a": ("b",)})
    with pytest.raises(ValidationError, match="other languages, each once"):
        LateStartConfig(start="relatives", relatives={"a": ("a",)})
    with pytest.raises(ValidationError, match="the model has none"):
        TrainConfig.model_validate({"late_start": NEAREST, "model": {"adapter": 0}})
    held = {"hash": "0" * 32, "old": ["a"], "old_vocabulary": 9}
    with pytest.raises(ValidationError, match="their starts already"):
        TrainConfig.model_validate({"late_start": NEAREST, "continual": held})
    with pytest.raises(ConfigurationError, match=r"late_start.*lie elsewhere"):
        check_settings(TrainConfig.model_validate({"late_start": NEAREST, "parallelism": "fsdp"}), 2)
    for relatives, message in (
        ({"ell_Grek": ["xxx_Latn"]}, "xxx_Latn, which is not among"),
        ({"swh_Latn": ["eng_Latn"]}, "from the run's beginning"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            run(tiny_corpus, tmp_path, late_start={"start": "relatives", "relatives": relatives})


@pytest.mark.slow
def test_two_processes_start_a_language_as_one_does(tiny_corpus: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    settings = {**SETTINGS, "late_start": NEAREST}
    arguments = [tiny_corpus, str(tmp_path / "two"), json.dumps(settings), json.dumps(STAGES), "-1"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    done = subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    run(tiny_corpus, tmp_path / "one", late_start=NEAREST)
    (one,), (two,) = (list(starts(tmp_path / name)[0]["languages"].values()) for name in ("one", "two"))
    assert one["from"] == two["from"]
    assert two["losses"] == pytest.approx(one["losses"], abs=1e-4)
    for file in ("model", "methods"):
        expected, found = saved(tmp_path / "one", 12, file), saved(tmp_path / "two", 12, file)
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, atol=1e-3, rtol=1e-3)
