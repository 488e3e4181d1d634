"""The one exception that means "the user can fix this"."""

from __future__ import annotations


class EvenglotError(Exception):
    """A mistake or a condition the user can mend.

    The command line prints it as one line and exits with ``exit_code``; no traceback.

    Args:
        message: what was wrong, naming the file, line or field.
        fix: what to do about it, as an imperative sentence without a final stop.
    """

    exit_code = 2

    def __init__(self, message: str, fix: str | None = None) -> None:
        super().__init__(message if fix is None else f"{message}. {fix}")
        self.message = message
        self.fix = fix

    def __reduce__(self) -> tuple[type[EvenglotError], tuple[str, str | None]]:
        # Worker processes send exceptions back pickled; the default would lose `fix`.
        return (type(self), (self.message, self.fix))


class ConfigurationError(EvenglotError):
    """A recipe or a flag is wrong."""


class InputError(EvenglotError):
    """An input is missing, unreadable or not what it was said to be."""

    exit_code = 3


class CorpusError(EvenglotError):
    """A corpus on disk is missing, damaged or of another format version."""

    exit_code = 4


class LedgerError(EvenglotError):
    """Records were lost or counted twice: what was read is not what was kept, rejected and unreadable."""

    exit_code = 5


class WorkerLost(EvenglotError):
    """A worker process ended before its work was done; what it had finished is there."""
