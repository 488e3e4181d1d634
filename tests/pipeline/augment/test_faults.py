"""SIGKILL in the middle of making text: the next run ends with the bytes of an undisturbed one, and repeats no unit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from corpus.manifest import current_number
from corpus.storage import Storage
from tests.pipeline.augment.augmented import natural, settings, tree

SCRIPT = """
import sys
from pathlib import Path
from tests.pipeline.augment.augmented import augmented
from pipeline.augment.config import AugmentConfig
augmented(Path(sys.argv[1]), AugmentConfig.model_validate_json(sys.argv[2]), workers=int(sys.argv[3]))
"""
ROOT = Path(__file__).parents[3]


def start(root: Path, model: Path, log: Path, delay: float, workers: int = 1) -> subprocess.Popen[bytes]:
    """A run in a process of its own, which notes every unit that it translates."""
    budget = {"share": 0.9, "below_share": None, "least_bytes": 100, "total_share": None}
    config = settings(model, budget=budget, unit_bytes=1024, naturalness={"enabled": False})
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "EVENGLOT_TEST_DELAY": str(delay), "EVENGLOT_TEST_LOG": str(log),
    }  # fmt: skip
    command = [sys.executable, "-c", SCRIPT, str(root), config.model_dump_json(), str(workers)]
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def units(root: Path, folder: str) -> set[str]:
    """Units whose files are whole."""
    return {path.stem for path in (root / ".work").glob(f"[0-9a-f]*/{folder}/*.arrow") if path.name[0] != "."}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_resumes_to_the_bytes_of_an_undisturbed_one(tmp_path: Path, model: Path, workers: int) -> None:
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
        natural(tmp_path / name / "corpus", english=30)
    whole, killed = tmp_path / "whole/corpus", tmp_path / "killed/corpus"
    with start(whole, model, tmp_path / "whole.log", 0) as process:
        assert process.wait() == 0
    every = Counter((tmp_path / "whole.log").read_text().split())
    assert len(every) > 20
    assert set(every.values()) == {1}
    for folder in ("calibration", "candidates"):
        log = tmp_path / f"{folder}.log"
        process = start(killed, model, log, 0.05, workers)
        try:
            while process.poll() is None and len(units(killed, folder)) < 3:
                time.sleep(0.01)
            assert process.poll() is None, "the run was over before it could be killed"
            process.send_signal(signal.SIGKILL)
        finally:
            process.kill()
            process.wait()
        assert current_number(Storage(str(killed))) == 1
    time.sleep(1)  # a worker outlives its driver by a moment
    finished = units(killed, "calibration") | units(killed, "translated") | units(killed, "candidates")
    assert finished
    with start(killed, model, tmp_path / "last.log", 0) as process:
        assert process.wait() == 0
    again = set((tmp_path / "last.log").read_text().split())
    assert again == set(every) - finished
    assert tree(killed) == tree(whole)
