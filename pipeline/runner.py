"""Which Beam engine runs a job, chosen so that every machine chooses the same one.

Beam's plain ``DirectRunner`` first tries to download another engine and falls back to this one when that
fails, so two machines would run different code. Local jobs therefore name Beam's own engine outright: inside
this process with one worker, with worker processes otherwise.
"""

from __future__ import annotations

import logging
import shlex
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner import fn_runner
from apache_beam.runners.portability.portable_runner import JobServiceHandle
from apache_beam.transforms import environments

from pipeline.config import RunnerConfig

_RUNNERS: Final = {"flink": "FlinkRunner", "dataflow": "DataflowRunner", "portable": "PortableRunner"}
_LAST_WORDS: Final = 20
"""Lines of the workers' log that are shown when a job fails."""


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
    with tempfile.TemporaryDirectory(prefix="evenglot-beam-") as folder:
        log = Path(folder) / "workers.log"
        runner = local_runner(options, workers, log) if config.name == "local" else None
        pipeline = beam.Pipeline(runner=runner, options=options)
        build(pipeline)
        try:
            result = pipeline.run()
            result.wait_until_finish()
        except Exception as error:
            if log.exists():
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
                error.add_note("The workers' last words:\n" + "\n".join(lines[-_LAST_WORDS:]))
            raise
        return read_counters(result)


def engine_flags(config: RunnerConfig, workers: int) -> list[str]:
    """Beam options of the chosen engine."""
    if config.name != "local":
        return [f"--runner={_RUNNERS[config.name]}", *config.options]
    return [f"--direct_num_workers={workers}", *config.options]


def local_runner(options: PipelineOptions, workers: int, log: Path) -> fn_runner.FnApiRunner:
    """Beam's own engine, in this process or with worker processes.

    What worker processes say goes to ``log``: Beam's harness greets at length on standard error. They get the
    pipeline's options (keys of object stores, for example) by way of the provision info; the engine does not
    hand them on by itself.
    """
    if workers == 1:
        return fn_runner.FnApiRunner()
    command = f"{shlex.quote(sys.executable)} -m apache_beam.runners.worker.sdk_worker_main 2>>{shlex.quote(str(log))}"
    encoded = JobServiceHandle.encode_pipeline_options(options.get_all_options())
    provision = fn_runner.ExtendedProvisionInfo(beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded))
    environment = environments.SubprocessSDKEnvironment.from_command_string(command)
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
