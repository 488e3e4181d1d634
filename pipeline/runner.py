"""Which Beam engine runs a job, chosen so that every machine chooses the same one.

Beam's plain ``DirectRunner`` first tries to download another engine and falls back to this one when that
fails, so two machines would run different code. Local jobs therefore name Beam's own engine outright: inside
this process with one worker, with worker processes otherwise.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability import python_urns
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner import fn_runner, worker_handlers
from apache_beam.runners.portability.portable_runner import JobServiceHandle
from apache_beam.transforms import environments

from pipeline.config import RunnerConfig
from pipeline.watched_worker import Watch, watched_by
from pipeline.worker import MEMORY_SUFFIX, NOTES, PARENT

_RUNNERS: Final = {"flink": "FlinkRunner", "dataflow": "DataflowRunner", "portable": "PortableRunner"}
_LAST_WORDS: Final = 20
"""Lines of the workers' log that are shown when a job fails."""
WORKER_MEMORY: Final = "runner/worker_memory_bytes"
"""Among the counters of a job: bytes of the largest resident set of its worker processes."""
_FOLDER: Final = "evenglot-beam-"


def run_job(build: Callable[[beam.Pipeline], None], config: RunnerConfig, workers: int) -> dict[str, int]:
    """Run one Beam job to its end.

    Args:
        build: adds the job's transforms to a pipeline.
        config: engine and its options.
        workers: processes of the local engine.

    Returns:
        The job's counters, ``namespace/name`` -> value, where the engine reports them.
    """
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    options = PipelineOptions(flags=engine_flags(config, workers))
    with scratch_folder() as folder:
        log = folder / "workers.log"
        watch = Watch()
        runner = local_runner(options, workers, log, watch) if config.name == "local" else None
        pipeline = beam.Pipeline(runner=runner, options=options)
        # Beam makes a folder of its own and does not always remove it.
        shutil.rmtree(pipeline.local_tempdir, ignore_errors=True)
        pipeline.local_tempdir = str(folder / "beam")
        build(pipeline)
        try:
            result = pipeline.run()
            result.wait_until_finish()
        except Exception as error:
            if watch.lost is not None:
                raise watch.lost from None
            if log.exists():
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
                error.add_note("The workers' last words:\n" + "\n".join(lines[-_LAST_WORDS:]))
            raise
        return read_counters(result) | worker_memory(folder)


def worker_memory(folder: Path) -> dict[str, int]:
    """Largest resident set of the worker processes of a job, as the counter ``WORKER_MEMORY``; none without any."""
    found = [int(path.read_text(encoding="ascii") or 0) for path in folder.glob(f"*{MEMORY_SUFFIX}")]
    return {WORKER_MEMORY: max(found)} if found else {}


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder for one job, removed at its end; first goes what killed runs left.

    A folder is locked as long as its process lives, so a lock that can be had shows that nobody uses it.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        with locked(left) as mine:
            if mine:
                shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_FOLDER, ignore_cleanup_errors=True) as name, locked(Path(name)):
        # Another run may have taken the folder for a left one in the instant before it was locked.
        Path(name).mkdir(exist_ok=True)
        yield Path(name)


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder while the block runs; False where another process holds it or it is not ours."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = True
        except OSError:
            mine = False
        yield mine
    finally:
        os.close(handle)


def engine_flags(config: RunnerConfig, workers: int) -> list[str]:
    """Beam options of the chosen engine."""
    if config.name != "local":
        return [f"--runner={_RUNNERS[config.name]}", *config.options]
    return [f"--direct_num_workers={workers}", *config.options]


def local_runner(options: PipelineOptions, workers: int, log: Path, watch: Watch) -> fn_runner.FnApiRunner:
    """Beam's own engine, in this process or with worker processes.

    What worker processes say goes to ``log``: Beam's harness greets at length on standard error. They get the
    pipeline's options (keys of object stores, for example) by way of the provision info; the engine does not
    hand them on by itself.
    """
    if workers == 1:
        return fn_runner.FnApiRunner()
    # -P and the path: workers import what this process does, whatever lies in the folder it was started in.
    path = shlex.quote(os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path))
    told = f"{PARENT}={os.getpid()} {NOTES}={shlex.quote(str(log.parent))}"
    python = f"{told} PYTHONPATH={path} exec {shlex.quote(sys.executable)} -P"
    command = f"{python} -m pipeline.worker 2>>{shlex.quote(str(log))}"
    encoded = JobServiceHandle.encode_pipeline_options(options.get_all_options())
    provision = fn_runner.ExtendedProvisionInfo(beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded))
    environment = environments.SubprocessSDKEnvironment.from_command_string(command)
    worker_handlers.WorkerHandler.register_environment(python_urns.SUBPROCESS_SDK, bytes)(watched_by(watch))
    return fn_runner.FnApiRunner(default_environment=environment, provision_info=provision)


def read_counters(result: beam.runners.runner.PipelineResult) -> dict[str, int]:
    """Counters of a finished job; empty where the engine has none to report."""
    try:
        found = result.metrics().query()["counters"]
    except NotImplementedError:
        return {}
    totals: dict[str, int] = {}
    for counter in found:
        name = f"{counter.key.metric.namespace}/{counter.key.metric.name}"
        value = counter.committed if counter.committed is not None else counter.attempted
        totals[name] = totals.get(name, 0) + int(value or 0)
    return dict(sorted(totals.items()))
