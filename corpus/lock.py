"""One writer at a time: two runs that prepare one corpus would write files of the same names."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from corpus.errors import CorpusError
from corpus.storage import Storage, write_errors

LOCK: Final = ".work/lock"
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})


@contextmanager
def exclusive(storage: Storage) -> Iterator[None]:
    """Keep other writers out of a corpus while the block runs.

    The lock ends with the process that holds it, however that ends. Object stores and file systems without
    locks have none; there only the commit notices another run.

    Args:
        storage: the corpus.

    Raises:
        CorpusError: another run holds the lock.
        EvenglotError: the corpus folder cannot be written.
    """
    if not storage.is_local:
        yield
        return
    path = Path(storage.path(LOCK))
    with write_errors(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CorpusError(
                f"another run is writing to {storage.url}", "Wait for it to end, or choose another output folder"
            ) from error
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield
    finally:
        os.close(handle)
