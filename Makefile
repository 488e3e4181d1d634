# Two commands do everything on a fresh machine: `make demo` and `make test`.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
JOBS ?= 2
# Test processes share the cores; each computes with one thread.
export OMP_NUM_THREADS ?= 1

.PHONY: help setup demo test lint test-slow test-dags test-images docs bench clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: ## create or repair .venv (does nothing when it is up to date)
	@.ci/setup

demo: setup ## the whole way on a sample corpus, a few minutes; ends with a report
	@env -u OMP_NUM_THREADS $(BIN)/evenglot demo --output demo-output

lint: setup ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## style, types and the tests that take less than about twenty seconds each
	$(BIN)/pytest -n $(JOBS) -m "not slow"

test-slow: setup ## the tests that take longer
	$(BIN)/pytest -n $(JOBS) -m slow

test-dags: setup ## the Airflow graphs, in an environment of their own
	@bash dags/test.sh

test-images: setup ## build and smoke-run the images where buildah is at hand
	@bash docker/test.sh

docs: setup ## regenerate the pages that are made from the code
	$(BIN)/python -m evenglot.recipe.reference docs/recipe-reference.md

# They train models on a tokenized corpus, which has to be named.
TRAINED := ablation augmentation continual feedback parallel

bench: setup ## benchmarks: all, or NAME=prepare; CORPUS=out/corpus for those that train on one
	@mkdir -p out/bench
	@for name in $(or $(NAME),$$(grep -l '"--json"' benchmarks/*.py | sed -E 's|.*/(.*)\.py|\1|')); do \
	  corpus=""; \
	  if [[ " $(TRAINED) " == *" $$name "* ]]; then \
	    if [ -z "$(CORPUS)" ]; then echo "benchmarks.$$name: left out, it needs CORPUS=FOLDER"; continue; fi; \
	    corpus="--corpus $(CORPUS)"; \
	  fi; \
	  echo "benchmarks.$$name"; $(BIN)/python -m benchmarks.$$name --json "out/bench/$$name.json" $$corpus; done

clean: ## remove what the targets above made, .venv included
	rm -rf .venv .venv-airflow build dist demo-output out .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
