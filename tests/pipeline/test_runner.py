from __future__ import annotations

import tempfile
from pathlib import Path

import apache_beam as beam
import pytest

from corpus.errors import ConfigurationError, WorkerLost
from pipeline.config import RunnerConfig
from pipeline.prepare import prepare
from pipeline.runner import WORKER_MEMORY, locked, run_job, scratch_folder
from pipeline.sources import InputConfig


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


# What worker processes are to run stands inside the tests: they cannot import this module.
def touch(number: int, folder: str) -> None:
    (Path(folder) / str(number)).touch()


def test_a_job_leaves_nothing_in_the_temporary_folder(temporary: Path, tmp_path: Path) -> None:
    def build(pipeline: beam.Pipeline) -> None:
        _ = pipeline | beam.Create([1, 2, 3]) | beam.Map(touch, str(tmp_path))

    run_job(build, RunnerConfig(), 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2", "3", temporary.name]
    assert list(temporary.iterdir()) == []


def test_folders_of_killed_runs_are_removed_and_those_in_use_stay(temporary: Path) -> None:
    left, used, foreign = (temporary / name for name in ("evenglot-beam-left", "evenglot-beam-used", "another"))
    for folder in (left, used, foreign):
        folder.mkdir()
        (folder / "workers.log").write_text("")
    with locked(used) as mine:
        assert mine
        with scratch_folder() as folder:
            assert folder.is_dir()
            assert {path.name for path in temporary.iterdir()} == {used.name, foreign.name, folder.name}
    assert {path.name for path in temporary.iterdir()} == {used.name, foreign.name}


def test_workers_tell_their_own_memory(temporary: Path) -> None:
    def fill(number: int) -> int:
        return len(b"x" * number) % 7

    def build(pipeline: beam.Pipeline) -> None:
        _ = pipeline | beam.Create([300 << 20], reshuffle=False) | beam.Reshuffle() | beam.Map(fill)

    found = run_job(build, RunnerConfig(), 2)
    assert found[WORKER_MEMORY] > 300 << 20
    assert list(temporary.iterdir()) == []


def test_error_of_a_worker_comes_with_its_last_words(temporary: Path) -> None:
    def fail(number: int) -> int:
        raise ValueError(f"number {number}")

    def build(pipeline: beam.Pipeline) -> None:
        _ = pipeline | beam.Create([42], reshuffle=False) | beam.Reshuffle() | beam.Map(fail)

    with pytest.raises(RuntimeError, match="number 42") as raised:
        run_job(build, RunnerConfig(), 2)
    (note,) = raised.value.__notes__
    assert note.startswith("The workers' last words:\n")
    assert "number 42" in note


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_job_fails_with_a_clear_error_and_nothing_else_when_its_worker_dies(
    temporary: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def die(number: int) -> int:
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)
        return number

    def build(pipeline: beam.Pipeline) -> None:
        _ = pipeline | beam.Create([1, 2, 3], reshuffle=False) | beam.Reshuffle() | beam.Map(die)

    with pytest.raises(WorkerLost, match=r"a worker process ended before its work was done.*use fewer --workers"):
        run_job(build, RunnerConfig(), 2)
    assert list(temporary.iterdir()) == []
    assert "Traceback" not in capfd.readouterr().err
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_loss_of_one_worker_is_told_though_the_others_are_well(temporary: Path) -> None:
    """Also when the job learns of it by the broken stream, before the process is seen to be gone."""

    def die(number: int) -> int:
        import os
        import signal
        import time

        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.2)
        return number

    def build(pipeline: beam.Pipeline) -> None:
        _ = pipeline | beam.Create([1, 2, 3, 4], reshuffle=False) | beam.Reshuffle() | beam.Map(die)

    with pytest.raises(WorkerLost):
        run_job(build, RunnerConfig(), 3)


@pytest.mark.parametrize("where", ["input", "output"])
def test_several_workers_cannot_share_the_memory_of_one(where: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    path = str(tmp_path / "a.jsonl") if where == "output" else "memory://runner-test/a.jsonl"
    if where == "input":
        import fsspec

        fsspec.filesystem("memory").pipe_file("/runner-test/a.jsonl", b'{"text": "a"}\n')
    output = "memory://runner-test/corpus" if where == "output" else str(tmp_path / "corpus")
    with pytest.raises(ConfigurationError, match="lies in the memory of one process"):
        prepare([InputConfig(path=path)], output, workers=2)
