#!/usr/bin/env bash
# Tests the DAGs for real: imports them, then runs the whole DAG once on the embedded sample corpus.
# Airflow gets an environment of its own (.venv-airflow); its tasks call evenglot in .venv.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
venv=.venv-airflow
stamp=$venv/.installed
if ! { [ -f "$stamp" ] && [ "$stamp" -nt constraints-airflow.txt ] && "$venv/bin/python" -c 'import airflow' 2>/dev/null; }; then
    echo "setting up $venv"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -c constraints-airflow.txt apache-airflow pytest
    touch "$stamp"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export AIRFLOW_HOME=$work/airflow
export AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW__CORE__DAGS_FOLDER=$PWD/dags
export AIRFLOW__CORE__UNIT_TEST_MODE=False
export AIRFLOW__LOGGING__LOGGING_LEVEL=WARNING
export EVENGLOT_COMMAND=$PWD/.venv/bin/evenglot
mkdir -p "$AIRFLOW_HOME"

echo "migrating a fresh Airflow database"
"$venv/bin/airflow" db migrate >"$work/migrate.log" 2>&1 || { cat "$work/migrate.log"; exit 1; }
"$venv/bin/python" -m pytest -q -p no:cacheprovider -c /dev/null --rootdir . tests/dags

echo "running the whole DAG on the sample corpus"
recipe=$work/recipe.yaml
cat >"$recipe" <<YAML
extends: $PWD/evenglot/demo/recipe.yaml
corpus: $work/corpus
run: $work/run
inputs:
  - {path: $PWD/evenglot/demo/sample/news.jsonl, name: news}
  - {path: $PWD/evenglot/demo/sample/stories.jsonl.gz, name: stories}
augment:
  translation:
    models: [$PWD/evenglot/demo/models/demo-eng-afr, $PWD/evenglot/demo/models/demo-afr-eng]
YAML
# A task that fails is tried again after minutes: without a limit a mistake would take half an hour to show.
timeout 600 "$venv/bin/airflow" dags test evenglot_corpus_to_model \
    --conf "{\"recipe\": \"$recipe\", \"workers\": 1, \"settings\": [\"train.steps=20\"]}" \
    >"$work/dag.log" 2>&1 || { tail -n 60 "$work/dag.log"; exit 1; }
report=$(find "$work" -name 'report.html' | head -n 1)
[ -s "$report" ] || { tail -n 60 "$work/dag.log"; echo "the DAG ran but left no report"; exit 1; }
echo "the DAG ran: $(find "$work/corpus/text" -name '*.arrow' | wc -l) text shards, report of $(wc -c <"$report") bytes"
