"""How fast training goes, evaluations left out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Pace:
    """A clock that stands still while it is paused.

    Args:
        tokens: read so far.
    """

    def __init__(self, tokens: float) -> None:
        self.started = self._mark = time.monotonic()
        self._tokens = tokens

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The time of the block does not count as training."""
        begun = time.monotonic()
        yield
        self._mark += time.monotonic() - begun

    def lap(self, tokens: float) -> float:
        """Tokens per second since the last lap, given those read so far; begins the next lap."""
        now = time.monotonic()
        speed = (tokens - self._tokens) / (now - self._mark)
        self._mark, self._tokens = now, tokens
        return speed

    def seconds(self) -> float:
        """Since the start, pauses counted."""
        return time.monotonic() - self.started
