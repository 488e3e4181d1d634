"""A worker process of Beam's local engine that somebody answers for: when it dies, the job fails at once and quietly.

Beam's own handler waits for ever for a process that is gone, and the threads that read from it end with tracebacks on
the terminal. Here a broken stream of a worker that was not told to end is the loss of the worker, and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

import grpc
from apache_beam.runners.portability import local_job_service
from apache_beam.runners.portability.fn_api_runner import worker_handlers

from corpus.errors import WorkerLost

_WATCH_SECONDS: Final = 0.2


class Watch:
    """What became of the worker processes of one job."""

    def __init__(self) -> None:
        self.lost: WorkerLost | None = None
        """Set once a worker was lost."""

    def lose(self) -> WorkerLost:
        """Note that a worker was lost."""
        self.lost = self.lost or WorkerLost(
            "a worker process ended before its work was done, killed for want of memory perhaps",
            "Run the same command again; it goes on where this run stopped. If it happens again, use fewer --workers",
        )
        return self.lost


def watched_by(watch: Watch) -> type[worker_handlers.SubprocessSdkWorkerHandler]:
    """Beam's handler of a worker process, made to fail the job when the process dies.

    Args:
        watch: told of it, before anything that waits for the worker can learn of it.
    """

    class WatchedWorkerHandler(worker_handlers.SubprocessSdkWorkerHandler):
        """Starts a worker process and answers for it once it is gone."""

        def start_worker(self) -> None:
            self.closing = threading.Event()
            for connection, name in ((self.control_conn, "set_input"), (self.data_conn, "set_inputs")):
                setattr(connection, name, self.ending_quietly(getattr(connection, name)))
            self.worker = local_job_service.SubprocessSdkWorker(
                self._worker_command_line, self.control_address, self.provision_info, self.worker_id
            )
            # Its name and the worker's are what Beam's handler waits for at the end.
            self.worker_thread = threading.Thread(name="run_worker", target=self.run_worker, daemon=True)
            self.worker_thread.start()

        def ending_quietly(self, set_input: Any) -> Any:
            """``set_input``, given a stream that ends where it breaks off."""

            def received(stream: Iterable[Any]) -> Iterator[Any]:
                try:
                    yield from stream
                except grpc.RpcError:
                    if not self.closing.is_set():
                        watch.lose()

            return lambda stream: set_input(received(stream))

        def run_worker(self) -> None:
            """Run the process to its end; when that comes too early, wake all who wait for it until they have gone."""
            # With which status it ended, or that it could not begin: whether it was told to end is what counts.
            with suppress(RuntimeError, OSError):
                self.worker.run()
            if self.closing.is_set():
                return
            lost = watch.lose()
            self.data_conn.set_inputs(iter(()))  # it may have died before it sent anything
            while not self.closing.wait(_WATCH_SECONDS):
                with suppress(RuntimeError):  # the table of instructions changed meanwhile: again
                    self.control_conn.abort(lost)

        def close(self) -> None:
            self.closing.set()
            # One that connects only now would wait for instructions for ever.
            self.control_conn.push(worker_handlers.BeamFnControlServicer._DONE_MARKER)
            super().close()

    return WatchedWorkerHandler
