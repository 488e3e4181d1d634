"""Ctrl-C ends a command, wherever it meets it.

Python raises one ``KeyboardInterrupt``, in whatever code the main thread happens to run, and that code may drop it:
what the garbage collector calls drops every exception, C extensions clear what goes wrong while they are imported,
and some libraries catch everything. So it is raised again until the command has ended.
"""

from __future__ import annotations

import _thread
import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from corpus.interrupt import INTERRUPT

EXIT_CODE: Final = 130
_AGAIN_SECONDS: Final = 2.0
"""How long a command may take to clean up before it is interrupted again; what is left then, the next run removes."""
_LOOK_SECONDS: Final = 0.02


def until_interrupted(command: Callable[[], Any]) -> Any:
    """Run a command; while its frame is on the stack of the main thread, Ctrl-C has not ended it yet."""
    return command()


class Interrupts:
    """Ctrl-C while one command runs."""

    def __init__(self) -> None:
        self.pressed = False
        """Whether Ctrl-C was pressed. The exception may look otherwise by now: Beam wraps it into one of its own."""
        self._lost = self._again = self._over = False

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Insist on Ctrl-C while the block runs, in the main thread; elsewhere, and where it is ignored, do nothing."""
        ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN  # as for background jobs of a script
        if threading.current_thread() is not threading.main_thread() or ignored:
            yield
            return
        before = sys.unraisablehook

        def hook(dropped: Any) -> None:
            if self.pressed and dropped.exc_type is KeyboardInterrupt:
                self._lost = True
            else:
                before(dropped)

        signal.signal(signal.SIGINT, self._press)  # for good: Ctrl-C may come while the process ends
        sys.unraisablehook = hook
        try:
            yield
        finally:
            self._over = True
            INTERRUPT.pressed = False
            sys.unraisablehook = before

    def _press(self, number: int, frame: FrameType | None) -> None:
        again, self._again = self._again, False
        if again and not _runs(frame):
            return
        if not self.pressed and not self._over:
            self.pressed = INTERRUPT.pressed = True
            # Not by `threading`: this may have come in the middle of its own work, with its locks held.
            _thread.start_new_thread(self._insist, ())
        raise KeyboardInterrupt

    def _insist(self) -> None:
        """Interrupt the main thread again where it lost the exception, or has not come to its end for a while."""
        main = threading.main_thread().ident
        last = time.monotonic()
        while not self._over and main is not None:
            time.sleep(_LOOK_SECONDS)
            if self._lost or time.monotonic() - last > _AGAIN_SECONDS:
                self._lost, self._again, last = False, True, time.monotonic()
                signal.pthread_kill(main, signal.SIGINT)  # wakes it where it waits, too


def _runs(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code is until_interrupted.__code__:
            return True
        frame = frame.f_back
    return False


def end_process() -> None:
    """End an interrupted process now, with its exit code and what was registered for its end.

    The interpreter would first wait for all threads, and some library's may have been left in a state in which it
    never ends. It would also end the process by the signal, for all that the exception was handled, where Ctrl-C met
    code that was compiled from a string, as that of data classes is.
    """
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(EXIT_CODE)
