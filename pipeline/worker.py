"""What a worker process of the local engine runs: Beam's worker, which ends with the process that started it.

Beam's own waits for ever when its driver is killed, and holds its memory and its model meanwhile.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Final

PARENT: Final = "EVENGLOT_PARENT"
"""Names the variable that holds the number of the process to end with: it may be gone before a worker looks."""
_WATCH_SECONDS: Final = 0.5


def end_with_parent() -> None:
    """Start a thread that ends this process, without further ado, once its parent is gone."""
    parent = int(os.environ.get(PARENT) or os.getppid())

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(name="watch_parent", target=watch, daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)  # type: ignore[no-untyped-call]
