"""The run's metrics: one JSON object a line, and TensorBoard beside it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from corpus.storage import write_errors

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

METRICS = "metrics.jsonl"


class MetricsLog:
    """Appends to ``metrics.jsonl`` and, if asked, to TensorBoard event files.

    Lines of steps after ``step`` are removed first: they belong to a part of the run that died after its last
    checkpoint and is about to be done again.

    Args:
        run: the run's folder.
        step: steps done when the log is opened.
        tensorboard: also write event files under ``tensorboard/``.
    """

    def __init__(self, run: Path, step: int, *, tensorboard: bool) -> None:
        self.path = run / METRICS
        with write_errors(str(self.path)):
            keep = [line for line in read_metrics(self.path) if line["step"] <= step and step > 0]
            partial = self.path.with_name(f".{METRICS}.part")
            partial.write_text("".join(map(_line, keep)), encoding="utf-8")
            partial.replace(self.path)
            self._handle = self.path.open("a", encoding="utf-8")
        self._board = _board(run / "tensorboard", step) if tensorboard else None

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handle.close()
        if self._board is not None:
            self._board.close()

    def sync(self) -> None:
        """Have the system put what was written on disk, so that it is no older than the checkpoint to come."""
        os.fsync(self._handle.fileno())
        if self._board is not None:
            self._board.flush()

    def write(self, line: Mapping[str, Any]) -> None:
        """Append one object; its numbers also become TensorBoard curves named by their path."""
        with write_errors(str(self.path)):
            self._handle.write(_line(line))
            self._handle.flush()
        if self._board is not None:
            for name, value in _numbers(line):
                self._board.add_scalar(f"{line['kind']}/{name}", value, line["step"])


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The objects of a metrics file, in order; lines that are none, as a crash or a bad disk leaves, are left out."""
    if not path.exists():
        return []
    lines = []
    for text in path.read_bytes().splitlines():
        try:
            line = json.loads(text)
        except ValueError:  # broken JSON, or no UTF-8
            continue
        if isinstance(line, dict) and isinstance(line.get("step"), int):
            lines.append(line)
    return lines


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """JSON has no infinity and no not-a-number: they become null."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _numbers(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _numbers(item, f"{prefix}{key}/")
        elif isinstance(item, int | float) and key != "step":
            yield prefix + key, float(item)


def _board(folder: Path, step: int) -> SummaryWriter:
    # TensorBoard takes a second to import; only runs that write event files pay for it.
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)
