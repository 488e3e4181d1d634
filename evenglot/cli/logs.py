"""Our warnings as plain lines on standard error; libraries are heard only when debugging."""

from __future__ import annotations

import logging
import os
import warnings

_OURS = ("corpus", "pipeline", "sampler", "trainer", "evenglot")


class _OursAlone(logging.Filter):
    """Lets our own warnings through. What a library says of an error arrives as an exception too, and is shown
    once, by us; levels would not do, since libraries set their own and some log as ``root``."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.name.partition(".")[0] in _OURS


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {' '.join(record.getMessage().split())}"


def configure_logging() -> None:
    """Send our warnings to standard error as lines; with EVENGLOT_DEBUG, everything that anyone logs."""
    debug = bool(os.environ.get("EVENGLOT_DEBUG"))
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if debug else logging.WARNING)
    if not debug:
        handler.addFilter(_OursAlone())
        warnings.simplefilter("ignore")
