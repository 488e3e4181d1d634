"""Which Beam engine runs a job, chosen so that every machine chooses the same one.

Beam's plain ``DirectRunner`` first tries to download another engine and falls back to this one when that
fails, so two machines would run different code. With one worker the in-process engine is named outright;
with several, ``update_compatibility_version`` makes ``DirectRunner`` skip the download.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.version import __version__ as beam_version

from pipeline.config import RunnerConfig

_RUNNERS = {"flink": "FlinkRunner", "dataflow": "DataflowRunner", "portable": "PortableRunner"}


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
    options = PipelineOptions(flags=list(engine_flags(config, workers)))
    runner = FnApiRunner() if config.name == "local" and workers == 1 else None
    pipeline = beam.Pipeline(runner=runner, options=options)
    build(pipeline)
    result = pipeline.run()
    result.wait_until_finish()
    return read_counters(result)


def engine_flags(config: RunnerConfig, workers: int) -> Sequence[str]:
    """Beam options of the chosen engine."""
    if config.name != "local":
        return [f"--runner={_RUNNERS[config.name]}", *config.options]
    if workers == 1:
        return list(config.options)
    return [
        "--runner=DirectRunner",
        f"--direct_num_workers={workers}",
        "--direct_running_mode=multi_processing",
        f"--update_compatibility_version={beam_version}",
        *config.options,
    ]


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
