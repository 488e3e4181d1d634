"""The DAG folder parses under Airflow and holds what the docs say; runs in Airflow's own environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("airflow", reason="Airflow lives in an environment of its own: run `make test-dags`")

from airflow.dag_processing.dagbag import DagBag

FOLDER = Path(__file__).resolve().parents[2] / "dags"


@pytest.fixture(scope="module")
def bag() -> DagBag:
    # Safe mode skips files that lack certain words, so that a broken file could pass unseen.
    return DagBag(str(FOLDER), safe_mode=False)


def test_every_dag_file_imports(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == {"evenglot_corpus_to_model"}


def test_tasks_run_in_the_order_of_the_way_of_the_data(bag: DagBag) -> None:
    dag = bag.dags["evenglot_corpus_to_model"]
    order = {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}
    assert order == {
        "prepare": ["augment"],
        "augment": ["tokenize"],
        "tokenize": ["train"],
        "train": ["evaluate"],
        "evaluate": ["report"],
        "report": [],
    }
    assert dag.max_active_runs == 1
    assert dag.catchup is False


def test_command_gets_its_parameters_as_arguments_and_hands_on_its_json(
    bag: DagBag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    echo = tmp_path / "evenglot"
    echo.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps({{'arguments': sys.argv[1:]}}))\n")
    echo.chmod(0o755)
    monkeypatch.setenv("EVENGLOT_COMMAND", str(echo))
    run_command = sys.modules[
        bag.dags["evenglot_corpus_to_model"].get_task("prepare").python_callable.__module__
    ].run_command
    params = {"recipe": "a b;c.yaml", "workers": 3, "settings": ["train.steps=5", "seed=1"]}
    expected = ["prepare", "--recipe", "a b;c.yaml", "--json", "--workers", "3"]
    expected += ["--set", "train.steps=5", "--set", "seed=1"]
    assert run_command("prepare", params, workers=True) == {"arguments": expected}
    last = ("--set", "augment.enabled=false")
    assert run_command("prepare", params, workers=True, flags=last) == {"arguments": [*expected, *last]}


def test_failing_command_fails_the_task(bag: DagBag, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.exceptions import AirflowException

    monkeypatch.setenv("EVENGLOT_COMMAND", "false")
    run_command = sys.modules[
        bag.dags["evenglot_corpus_to_model"].get_task("train").python_callable.__module__
    ].run_command
    with pytest.raises(AirflowException, match="exit code 1"):
        run_command("train", {"recipe": "r.yaml", "settings": []})
