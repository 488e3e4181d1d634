"""How the processes that read ahead learn of decisions: a file that the main process appends to.

Each decision is one line of JSON. A reader that comes to a block that is not decided reads the lines that are new,
and waits for more. Nobody can wait for each other in a circle: a decision needs rows before its border alone, rows
before the border need earlier decisions alone, and the first blocks need none; so the main process always gets the
rows that it needs for the decision that the readers wait for. What remains is a main process that does not report
losses, and that is an error after a time.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from corpus.errors import EvenglotError

if TYPE_CHECKING:
    from sampler.feedback.decisions import Decision
    from sampler.stream import CurriculumStream

_FIRST_PAUSE: Final = 0.001
_LONGEST_PAUSE: Final = 0.05


class GateTimeout(EvenglotError):
    """Nobody published the decision that rows wait for."""


class Publisher:
    """The main process's end: a file of its own, removed with this object."""

    def __init__(self) -> None:
        handle, name = tempfile.mkstemp(prefix="evenglot-decisions-", suffix=".jsonl")
        os.close(handle)
        self.path = Path(name)
        self._finalizer = weakref.finalize(self, _remove, name, os.getpid())

    def publish(self, decision: Decision) -> None:
        """Let readers pass the decision's block."""
        weights = None if decision.weights is None else decision.weights.tolist()
        line = json.dumps({"block": decision.block, "weights": weights, "reason": decision.reason})
        with self.path.open("a", encoding="utf-8") as handle:
            handle.write(line + "\n")

    def close(self) -> None:
        """Let readers that wait give up: no more decisions will come."""
        with self.path.open("a", encoding="utf-8") as handle:
            handle.write('{"closed": true}\n')


class Reader:
    """A reading process's end, to be a stream's ``gate``.

    Args:
        stream: takes the decisions over.
        path: of the publisher.
        wait_seconds: how long a decision may take.
    """

    def __init__(self, stream: CurriculumStream, path: Path, wait_seconds: float) -> None:
        self._stream = stream
        self._path = path
        self._wait_seconds = wait_seconds
        self._offset = 0
        self._parent = os.getppid()

    def __call__(self, block: int) -> None:
        """Wait until a block is decided.

        Raises:
            GateTimeout: its decision did not come, or the main process has ended.
        """
        start, pause = time.monotonic(), _FIRST_PAUSE
        while True:
            closed = self._read()
            decided = self._stream.decided
            if decided is None or block < decided:
                return
            ended = closed or os.getppid() != self._parent
            waited = time.monotonic() - start
            if ended or waited > self._wait_seconds:
                raise GateTimeout(self._missing(block, decided, ended, waited), _WAY_OUT)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _read(self) -> bool:
        """Take over what is new; whether the publisher has closed."""
        with self._path.open("rb") as handle:
            handle.seek(self._offset)
            new = handle.read()
        whole = new[: new.rfind(b"\n") + 1]  # a line may still be on its way
        self._offset += len(whole)
        for text in whole.splitlines():
            line: dict[str, Any] = json.loads(text)
            if "closed" in line:
                return True
            if self._stream.decided is not None and line["block"] >= self._stream.decided:
                weights = line["weights"]
                counts = None if weights is None else np.array(weights, dtype=np.int64)
                self._stream.decide(line["block"], counts, line["reason"])
        return False

    def _missing(self, block: int, decided: int, ended: bool, waited: float) -> str:
        feedback, rows = self._stream.config.feedback, self._stream.config.block_rows
        number, border = decided // feedback.every, (decided - feedback.delay) * rows
        why = "the main process has ended" if ended else f"it did not come in {waited:.0f} seconds"
        return (
            f"block {block} waits for decision {number} (policy {feedback.policy}), which is made when the losses of "
            f"the rows before row {border} are reported; {why}"
        )


_WAY_OUT: Final = (
    "Call `dataset.observe(batch, losses, tokens)` after every batch and on every rank, or give the dataset a longer "
    "`wait_seconds`"
)


def _remove(name: str, process: int) -> None:
    if os.getpid() == process:  # a forked worker has a copy of the publisher, but not the file
        Path(name).unlink(missing_ok=True)
