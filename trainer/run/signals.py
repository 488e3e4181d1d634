"""A request to stop, as an event that training looks at between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def terminated() -> Iterator[threading.Event]:
    """An event that SIGTERM sets, instead of ending the process; only the main thread can ask for that."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def set_event(number: int, frame: FrameType | None) -> None:
        event.set()

    before = signal.signal(signal.SIGTERM, set_event)
    try:
        yield event
    finally:
        signal.signal(signal.SIGTERM, before)
