"""What a command shows: progress on standard error, its result on standard output."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from types import TracebackType
from typing import Any, Final

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn

_LINE_SECONDS: Final = 3.0
"""Plain progress lines come at most this often, and less often the longer a stage takes."""
_QUIET_SECONDS: Final = 2.0
"""A stage shorter than this leaves no line."""


class Reporter:
    """Progress of stages, as bars on a terminal and as plain lines elsewhere.

    Call it with a stage's name, how much is done and how much there is (0 or less when that is unknown). It
    may be called from any thread.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = f"{prefix}: " if prefix else ""
        self._lock = threading.Lock()
        self._console = Console(stderr=True)
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}
        self._first: dict[str, tuple[float, int]] = {}
        self._finished: set[str] = set()
        self._last_line = 0.0
        self._entered = time.monotonic()

    def __enter__(self) -> Reporter:
        self._entered = time.monotonic()
        self._last_line = self._entered
        if self._console.is_terminal:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                TextColumn("{task.fields[line]}"),
                console=self._console,
                transient=True,
            )
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        with self._lock:
            now = time.monotonic()
            started = self._started.setdefault(stage, now if self._started else self._entered)
            first, before = self._first.setdefault(stage, (now, done))
            # Since the first word of the stage: neither the start-up nor what an earlier run had done is its speed.
            rate = (done - before) / (now - first) if now > first and done > before else None
            over = 0 < total <= done
            if over and now - first < (now - started) / 2:
                rate = None  # beside "took" the mean over that time
            if self._bars is not None:
                if stage not in self._tasks:
                    self._tasks[stage] = self._bars.add_task(self._prefix + stage, total=None, line="")
                line = progress_line("", done, total, now - started, rate).strip()
                self._bars.update(self._tasks[stage], completed=done, total=total if total > 0 else None, line=line)
                return
            if over and stage not in self._finished:
                self._finished.add(stage)
                if now - started >= _QUIET_SECONDS:
                    self._line(progress_line(stage, done, total, now - started, rate), now)
            elif not over and now > first and now - self._last_line >= max(_LINE_SECONDS, (now - started) / 20):
                self._line(progress_line(stage, done, total, now - started, rate), now)

    def _line(self, text: str, now: float) -> None:
        self._last_line = now
        print(self._prefix + text, file=sys.stderr, flush=True)


def progress_line(stage: str, done: int, total: int, seconds: float, rate: float | None = None) -> str:
    """One plain line: counts, rate, and the time that remains or was taken.

    Args:
        stage: what is going on.
        done: units done.
        total: units in all; 0 or less when unknown.
        seconds: since the stage began.
        rate: units a second; None takes the mean over those seconds.
    """
    if rate is None:
        rate = done / seconds if seconds > 0 else 0.0
    counted = f"{stage} {count(done)}" + (f" of {count(total)}" if total > 0 else "")
    speed = f"{count(round(rate))}/s" if rate >= 10 else f"{rate:.1f}/s"
    if 0 < total <= done:
        return f"{counted}, {speed}, took {duration(seconds)}"
    if total > 0 and rate > 0:
        return f"{counted}, {speed}, {duration((total - done) / rate)} left"
    return f"{counted}, {speed}, {duration(seconds)} so far"


def count(number: int) -> str:
    """A count with separators; from a million on with three digits and a unit: ``12,345``, ``4.32 M``."""
    if number < 1_000_000:
        return f"{number:,}"
    value, unit = (number / 1e6, "M") if number < 1_000_000_000 else (number / 1e9, "G")
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"


def duration(seconds: float) -> str:
    """Seconds as people say them: ``0.4 s``, ``12 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


@contextmanager
def output(as_json: bool) -> Iterator[Callable[[dict[str, Any], RenderableType], None]]:
    """Keep standard output for the result alone.

    While the block runs, whatever prints to standard output (libraries in C and child processes included) goes
    to standard error when ``as_json`` is set. The function it gives prints the result: the object as one line
    of JSON, or the text or table for people.
    """
    if not as_json:

        def show(result: dict[str, Any], text: RenderableType) -> None:
            _stdout_console().print(text)

        yield show
        return
    sys.stdout.flush()
    real = os.dup(1)
    os.dup2(2, 1)
    try:

        def show_json(result: dict[str, Any], text: RenderableType) -> None:
            line = json.dumps(result, ensure_ascii=False, allow_nan=False) + "\n"
            with os.fdopen(os.dup(real), "w", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(line)

        with redirect_stdout(sys.stderr):
            yield show_json
    finally:
        os.dup2(real, 1)
        os.close(real)


def note(text: str) -> None:
    """A line for people on standard error."""
    print(text, file=sys.stderr, flush=True)


def _stdout_console() -> Console:
    # Piped output keeps whole lines: a table cut to 80 columns would lose what it is piped for.
    return Console(soft_wrap=False, width=None if sys.stdout.isatty() else 160, highlight=False)
