"""What a worker process of the local engine runs: Beam's worker, which ends with the process that started it.

Beam's own waits for ever when its driver is killed, and holds its memory and its model meanwhile.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import Final

from pipeline.account import peak_memory

PARENT: Final = "EVENGLOT_PARENT"
"""Names the variable that holds the number of the process to end with: it may be gone before a worker looks."""
NOTES: Final = "EVENGLOT_NOTES"
"""Names the variable that holds the folder for what a worker has to say at its end."""
MEMORY_SUFFIX: Final = ".memory"
_WATCH_SECONDS: Final = 0.5


def end_with_parent() -> None:
    """Start a thread that ends this process, without further ado, once its parent is gone."""
    parent = int(os.environ.get(PARENT) or os.getppid())

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(name="watch_parent", target=watch, daemon=True).start()


def note_memory() -> None:
    """Leave the largest resident set of this process, in bytes, in a file for the process that started it."""
    folder = os.environ.get(NOTES)
    if folder and Path(folder).is_dir():
        (Path(folder) / f"{os.getpid()}{MEMORY_SUFFIX}").write_text(str(peak_memory()), encoding="ascii")


if __name__ == "__main__":
    end_with_parent()
    from apache_beam.runners.worker import sdk_worker_main

    try:
        sdk_worker_main.main(sys.argv)  # type: ignore[no-untyped-call]
    finally:
        note_memory()
