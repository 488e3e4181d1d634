"""One writer at a time: two runs that prepare one corpus would write files of the same names.

On local disk the operating system keeps the lock and drops it with the process. Object stores have no locks; there
every run writes a lease of its own, a small object that says who writes and when that was last true, and then looks
for others. Of two runs whose leases are both written before either looks, each sees the other: no order of events
lets two runs in, as long as the store lists what was written, as S3, Google Cloud Storage and Azure do.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from corpus.errors import CorpusError
from corpus.storage import Storage, write_errors

LOCK: Final = ".work/lock"
LEASES: Final = ".work/leases"
LEASE_SECONDS: Final = 600.0
"""A lease not renewed for so long is dead. The clocks of machines that write to one store have to agree within it."""
RENEW_SECONDS: Final = 60.0
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})

Confirm = Callable[[], None]
"""Raises ``CorpusError`` when the corpus may no longer be written to."""


@contextmanager
def exclusive(storage: Storage) -> Iterator[Confirm]:
    """Keep other writers out of a corpus while the block runs.

    On local disk the lock ends with the process that holds it, however that ends. On an object store the lease of a
    run that was killed ends ten minutes later, or at once for the next run on the same machine. File systems
    without locks have none; there only the commit notices another run.

    Args:
        storage: the corpus.

    Returns:
        A function that confirms that the corpus is still this run's alone; call it before a commit.

    Raises:
        CorpusError: another run holds the lock.
        EvenglotError: the corpus folder cannot be written.
    """
    if not storage.is_local:
        with leased(storage) as confirm:
            yield confirm
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
        yield lambda: None
    finally:
        os.close(handle)


@dataclass(frozen=True)
class Lease:
    """Who writes to a corpus, and when that was last so."""

    host: str
    process: int
    renewed: float
    """Seconds since 1970, by the writer's clock."""

    def alive(self, now: float) -> bool:
        """Whether its run may still be writing: it spoke lately, and was not killed on this machine."""
        if now - self.renewed > LEASE_SECONDS:
            return False
        return self.host != socket.gethostname() or _process_lives(self.process)


@contextmanager
def leased(storage: Storage, renew: float = RENEW_SECONDS) -> Iterator[Confirm]:
    """``exclusive`` on an object store.

    Args:
        storage: the corpus.
        renew: seconds between two renewals.

    Raises:
        CorpusError: another run holds a lease.
    """
    name = f"{LEASES}/{uuid.uuid4().hex}.json"
    last = time.time()

    def write() -> None:
        nonlocal last
        now = time.time()
        storage.write_bytes(name, json.dumps(asdict(Lease(socket.gethostname(), os.getpid(), now))).encode())
        last = now

    def confirm() -> None:
        if time.time() - last > LEASE_SECONDS:
            raise CorpusError(
                f"the lease on {storage.url} could not be renewed for {(time.time() - last) / 60:.0f} minutes, and "
                "another run may have begun",
                "Run the same command again; it goes on where this run stopped",
            )

    def keep_renewing() -> None:
        while not over.wait(renew):
            try:
                write()
            except Exception:  # noqa: BLE001, S112 - a store out of reach for a while is what leases are long for
                continue

    over = threading.Event()
    renewal = threading.Thread(name="renew lease", target=keep_renewing, daemon=True)
    try:
        write()
        other = _another(storage, name)
        if other is not None:
            age = max(0.0, time.time() - other[1].renewed)
            raise CorpusError(
                f"another run is writing to {storage.url}: process {other[1].process} on {other[1].host}, last heard "
                f"of {age:.0f} seconds ago",
                f"Wait for it to end; if it was killed, wait {(LEASE_SECONDS - age) / 60:.0f} minutes or remove "
                f"{storage.path(other[0])}",
            )
        renewal.start()
        yield confirm
    finally:
        over.set()
        if renewal.is_alive():
            renewal.join()
        storage.remove(name)


def _another(storage: Storage, mine: str) -> tuple[str, Lease] | None:
    """A living lease beside ``mine``; dead ones are removed."""
    now = time.time()
    for entry in storage.list(LEASES):
        name = f"{LEASES}/{entry}"
        if name == mine:
            continue
        try:
            lease = Lease(**json.loads(storage.read_bytes(name)))
        except (CorpusError, ValueError, TypeError):
            continue  # gone since, or no lease
        if lease.alive(now):
            return name, lease
        storage.remove(name)
    return None


def _process_lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
