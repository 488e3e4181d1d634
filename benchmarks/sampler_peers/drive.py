"""One measurement of one library in a process of its own.

    python -m benchmarks.sampler_peers.drive REQUEST

REQUEST is JSON: ``what`` (prepare, speed, feed or trace), ``library`` (a module of this package), ``arm``, ``corpus``
(its flat files), ``folder`` (what the library made of them) and ``workers``. The answer is one line of JSON.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peer import answer
from benchmarks.sampler_peers.clock import cpu_seconds, memory_bytes
from benchmarks.sampler_peers.corpora import Flat


def take(batch: Any) -> int:
    """Tokens of a batch. Documents are joined, so that views of mapped files do no better than copies."""
    if isinstance(batch, list):
        batch = np.concatenate(batch)
    return int(batch.size)


def items(batch: Any) -> Iterator[str]:
    """A short hash of each document or row of a batch; tokens are random, so equal ones are the same."""
    for item in batch:
        yield hashlib.blake2b(np.ascontiguousarray(item, np.int64).tobytes(), digest_size=6).hexdigest()


def speed(library: Any, request: dict[str, Any], flat: Flat, folder: Path) -> dict[str, Any]:
    """Start, a stretch of batches and a resume behind it.

    The clock of the stretch starts after ``warm`` seconds, when files are mapped, pages cached and buffers full;
    it runs for ``seconds`` at least. CPU seconds are those of all processes and threads.
    """
    arm, workers = request["arm"], request["workers"]
    used, begun = cpu_seconds(), time.perf_counter()
    loader = library.load(flat, folder, arm, workers)
    batches = loader.batches
    take(next(batches))
    start, start_cpu = time.perf_counter() - begun, cpu_seconds() - used
    taken = 1
    begun = time.perf_counter()
    while time.perf_counter() - begun < request["warm"]:
        take(next(batches))
        taken += 1
    tokens = documents = 0
    cpu, wall = cpu_seconds(), time.perf_counter()
    while time.perf_counter() - wall < request["seconds"]:
        batch = next(batches)
        tokens += take(batch)
        documents += len(batch)
        taken += 1
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    memory = memory_bytes()
    figures = {
        "million_tokens_per_cpu_second": tokens / cpu / 1e6,
        "million_tokens_per_second": tokens / wall / 1e6,
        "items_per_cpu_second": documents / cpu,
        "start_seconds": start,
        "start_cpu_seconds": start_cpu,
        "resident_bytes": memory["resident"],
        "anonymous_bytes": memory["anonymous"],
    }
    try:
        state = loader.state()
    except NotImplementedError:
        loader.close()
        return figures
    loader.close()
    used, begun = cpu_seconds(), time.perf_counter()
    again = library.load(flat, folder, arm, workers, state)
    take(next(again.batches))
    figures["resume_seconds"] = time.perf_counter() - begun
    figures["resume_cpu_seconds"] = cpu_seconds() - used
    figures["resumed_after_batches"] = taken
    figures["state_bytes"] = len(written(state))
    again.close()
    return figures


def feed(library: Any, request: dict[str, Any], flat: Flat, folder: Path) -> dict[str, Any]:
    """Feed a consumer that works for ``milliseconds`` on every batch: it computes in NumPy, or sleeps meanwhile.

    Sleeping stands for an accelerator that computes while this processor is free. What counts is how long a batch
    takes beyond the consumer's own work, and how many batches pass in a second.
    """
    work = (
        computing(request["milliseconds"]) if request["consumer"] == "computes" else sleeping(request["milliseconds"])
    )
    loader = library.load(flat, folder, request["arm"], request["workers"])
    begun = time.perf_counter()
    while time.perf_counter() - begun < request["warm"]:
        take(next(loader.batches))
    waited, taken = 0.0, 0
    begun = time.perf_counter()
    while time.perf_counter() - begun < request["seconds"]:
        asked = time.perf_counter()
        take(next(loader.batches))
        waited += time.perf_counter() - asked
        taken += 1
        work()
    wall = time.perf_counter() - begun
    loader.close()
    return {"batches_per_second": taken / wall, "milliseconds_waited_per_batch": waited / taken * 1000}


def sleeping(milliseconds: float) -> Callable[[], None]:
    """A consumer that leaves the processor free."""
    return lambda: time.sleep(milliseconds / 1000)


def computing(milliseconds: float) -> Callable[[], None]:
    """A consumer that multiplies matrices, as many as take that long by the CPU clock when nothing else runs."""
    matrix = np.random.default_rng(0).standard_normal((64, 64)).astype(np.float32)
    times = 200
    for _ in range(2):  # the first round warms up
        begun = time.thread_time()
        for _ in range(times):
            matrix @ matrix
        each = (time.thread_time() - begun) / times
    count = max(1, round(milliseconds / 1000 / each))

    def work() -> None:
        for _ in range(count):
            matrix @ matrix

    return work


def trace(library: Any, request: dict[str, Any], flat: Flat, folder: Path) -> dict[str, Any]:
    """What comes out, batch by batch, from the beginning or from the state that another process left in ``load``."""
    state = pickle.loads(Path(request["load"]).read_bytes()) if request.get("load") else None
    loader = library.load(flat, folder, request["arm"], request["workers"], state)
    seen = []
    for number in itertools.count(1):
        seen.append(list(items(next(loader.batches))))
        if number == request.get("save_after"):
            Path(request["save"]).write_bytes(pickle.dumps(loader.state()))
        if number == request["batches"]:
            break
    loader.close()
    return {"items": seen}


def written(state: Any) -> bytes:
    """A state as it would be stored: JSON where its values allow, else pickled."""
    try:
        return json.dumps(state).encode()
    except TypeError:
        return pickle.dumps(state)


def main(arguments: list[str]) -> None:
    """Do what the request says."""
    request = json.loads(arguments[0])
    library = import_module(f"benchmarks.sampler_peers.{request['library']}")
    flat, folder = Flat(Path(request["corpus"])), Path(request["folder"])
    what = request["what"]
    if hasattr(library, "imports"):
        library.imports(request["arm"])
    if what == "prepare":
        library.prepare(flat, folder, request["arm"])
        answer({"version": version(library.DISTRIBUTION), "arms": library.ARMS})
    else:
        answer({"speed": speed, "trace": trace, "feed": feed}[what](library, request, flat, folder))


if __name__ == "__main__":
    main(sys.argv[1:])
