"""Jobs one after another: each is run, timed, and tells how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from pipeline.account import Clock
from pipeline.config import RunnerConfig
from pipeline.prepare.user_error import user_error

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total) now and then."""
_POLL_SECONDS: Final = 0.5


class Jobs:
    """The jobs of one run, and what they took."""

    def __init__(self, config: RunnerConfig, workers: int, progress: Progress) -> None:
        """Nothing runs yet.

        Args:
            config: engine and its options.
            workers: processes of the local engine.
            progress: told about every step.
        """
        self.config, self.workers, self.progress = config, workers, progress
        self.steps: list[dict[str, Any]] = []
        """Name, wall and processor seconds of every step that has ended."""
        self.worker_memory = 0
        """Largest resident set of a worker process so far, in bytes."""
        self.after_step: Callable[[], None] = lambda: None
        """Called when a step has ended."""

    def run(self, build: Any, rows: int | None = None) -> None:
        """Run one Beam job; what a user can mend comes out as itself, not wrapped by Beam.

        Args:
            build: adds the job's transforms to a pipeline.
            rows: documents of a job that costs little for each; with few of them it stays in this process.
        """
        from pipeline.runner import WORKER_MEMORY, run_job

        worth = rows is None or rows >= self.config.rows_worth_workers
        try:
            found = run_job(build, self.config, self.workers if worth else 1)
        except Exception as error:
            mended = user_error(error)
            if mended is not None:
                raise mended from error
            raise
        self.worker_memory = max(self.worker_memory, found.get(WORKER_MEMORY, 0))

    @contextmanager
    def step(self, name: str, done: Callable[[], tuple[int, int]]) -> Iterator[None]:
        """Time what the block does and report how far it is while it runs.

        Args:
            name: of the step.
            done: gives how much is done, of how much.
        """
        clock = Clock()
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(_POLL_SECONDS):
                self.progress(name, *done())

        self.progress(name, *done())
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()
        self.progress(name, *done())
        self.steps.append({"name": name, **clock.elapsed()})
        self.after_step()
