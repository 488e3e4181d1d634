"""Raw text to a trained, evaluated and reported model, on schedule.

    prepare -> augment -> tokenize -> train -> evaluate -> report

The task `augment` makes synthetic text where the recipe says `augment.enabled`, and nothing elsewhere. It is a task of
its own, so that a retry does not read the corpus again; `prepare` alone would do both one after the other.

Every task runs the `evenglot` command line on one recipe, in the environment that has it: Airflow's own
environment needs neither Beam nor torch. A task that is retried resumes, because each command does.

Settings, from the environment of the Airflow worker:
    EVENGLOT_COMMAND   the `evenglot` executable; by default the one on PATH
    EVENGLOT_RECIPE    default of the `recipe` parameter
    EVENGLOT_SCHEDULE  cron expression or preset; empty (the default) means triggered by hand or by asset
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import datetime, timedelta

from airflow.exceptions import AirflowException
from airflow.sdk import Asset, Param, dag, task

CORPUS = Asset("evenglot://corpus")
MODEL = Asset("evenglot://model")


def run_command(
    command: str, params: dict[str, object] | None, workers: bool = False, flags: tuple[str, ...] = ()
) -> dict[str, object]:
    """Run one command of evenglot and hand on the JSON object it prints.

    Args:
        command: name of the command, for example ``prepare``.
        params: the parameters of the DAG run; they are passed as arguments, never through a shell.
        workers: whether the command takes a number of workers.
        flags: further arguments; they come last, and win over the settings of the DAG run.

    Raises:
        AirflowException: the command failed; its own last line, in the task's log, says why.
    """
    chosen = params or {}
    line = [os.environ.get("EVENGLOT_COMMAND", "evenglot"), command, "--recipe", str(chosen["recipe"]), "--json"]
    if workers:
        line += ["--workers", str(chosen["workers"])]
    for setting in list(chosen["settings"]):  # type: ignore[call-overload]
        line += ["--set", str(setting)]
    line += flags
    finished = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=False)
    if finished.returncode:
        raise AirflowException(f"{' '.join(line)} ended with exit code {finished.returncode}")
    summary: dict[str, object] = json.loads(finished.stdout)
    return summary


@dag(
    dag_id="evenglot_corpus_to_model",
    description="Prepare a balanced multilingual corpus, train a regularized model on it, evaluate and report.",
    schedule=os.environ.get("EVENGLOT_SCHEDULE") or None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,  # two runs must not commit to one corpus at the same time
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    params={
        "recipe": Param(
            os.environ.get("EVENGLOT_RECIPE", "recipe.yaml"),
            type="string",
            description="Recipe file, as a path the workers see",
        ),
        "workers": Param(1, type="integer", minimum=1, description="Processes for prepare, augment and tokenize"),
        "settings": Param(
            [],
            type="array",
            items={"type": "string"},
            description="Recipe settings to override, each as key=value, for example train.steps=1000",
        ),
    },
    tags=["evenglot"],
    doc_md=__doc__,
)
def evenglot_corpus_to_model() -> None:
    """Six tasks in a row; Airflow fills in ``params`` when a task runs."""

    @task
    def prepare(params: dict[str, object] | None = None) -> dict[str, object]:
        return run_command("prepare", params, workers=True, flags=("--set", "augment.enabled=false"))

    @task(outlets=[CORPUS])
    def augment(params: dict[str, object] | None = None) -> dict[str, object]:
        return run_command("augment", params, workers=True, flags=("--if-enabled",))

    @task
    def tokenize(params: dict[str, object] | None = None) -> dict[str, object]:
        return run_command("tokenize", params, workers=True)

    @task(outlets=[MODEL])
    def train(params: dict[str, object] | None = None) -> dict[str, object]:
        return run_command("train", params)

    @task
    def evaluate(params: dict[str, object] | None = None) -> dict[str, object]:
        return run_command("evaluate", params)

    @task
    def report(params: dict[str, object] | None = None) -> dict[str, object]:
        return run_command("report", params)

    prepare() >> augment() >> tokenize() >> train() >> evaluate() >> report()


evenglot_corpus_to_model()
