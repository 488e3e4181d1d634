from __future__ import annotations

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainer.run.logs import MetricsLog, read_metrics


def steps(run: Path) -> list[int]:
    return [line["step"] for line in read_metrics(run / "metrics.jsonl")]


def test_lines_after_the_checkpoint_are_written_again(tmp_path: Path) -> None:
    with MetricsLog(tmp_path, 0, tensorboard=False) as log:
        for step in range(5):
            log.write({"kind": "train", "step": step})
    with (tmp_path / "metrics.jsonl").open("a") as handle:
        handle.write('{"kind": "tra')  # cut off by a crash
    with MetricsLog(tmp_path, 2, tensorboard=False) as log:
        assert steps(tmp_path) == [0, 1, 2]
        log.write({"kind": "train", "step": 3})
    assert steps(tmp_path) == [0, 1, 2, 3]
    with MetricsLog(tmp_path, 0, tensorboard=False):
        assert steps(tmp_path) == []


def test_a_damaged_line_takes_no_other_with_it(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n{"step": 2, "lo\nnull\n{"loss": 1}\n\xff\xfe\n{"step": 3}\n')
    assert steps(tmp_path) == [1, 3]
    with MetricsLog(tmp_path, 3, tensorboard=False):
        assert path.read_text() == '{"step": 1}\n{"step": 3}\n'


def test_what_json_cannot_say_is_null(tmp_path: Path) -> None:
    with MetricsLog(tmp_path, 0, tensorboard=False) as log:
        log.write({"kind": "train", "step": 1, "loss": float("nan"), "languages": {"a": {"loss": float("inf")}}})
    assert read_metrics(tmp_path / "metrics.jsonl") == [
        {"kind": "train", "step": 1, "loss": None, "languages": {"a": {"loss": None}}}
    ]


def test_numbers_become_curves(tmp_path: Path) -> None:
    with MetricsLog(tmp_path, 0, tensorboard=True) as log:
        for step in (1, 2, 3):
            log.write({"kind": "train", "step": step, "loss": 1 / step, "languages": {"eng_Latn": {"loss": 2.0}}})
    with MetricsLog(tmp_path, 2, tensorboard=True) as log:
        log.write({"kind": "train", "step": 3, "loss": 9.0, "languages": {}})
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert set(events.Tags()["scalars"]) == {"train/loss", "train/languages/eng_Latn/loss"}
    assert [(event.step, event.value) for event in events.Scalars("train/loss")] == [(1, 1.0), (2, 0.5), (3, 9.0)]
