"""Warnings as plain lines on standard error; libraries that talk a lot are quietened."""

from __future__ import annotations

import logging
import os
import warnings

_TALKATIVE = ("apache_beam", "datasets", "fsspec", "filelock", "urllib3", "botocore", "s3fs", "torch", "root")


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {' '.join(record.getMessage().split())}"


def configure_logging() -> None:
    """Send our warnings to standard error as lines; with EVENGLOT_DEBUG, everything."""
    debug = bool(os.environ.get("EVENGLOT_DEBUG"))
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if debug else logging.WARNING)
    if not debug:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.ERROR)
        warnings.simplefilter("ignore")
