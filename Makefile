# Every target prepares what it needs; the second time that takes no time.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
QUICKSTART := notebooks/01-quickstart.ipynb
# No test is one of nbval's, and it takes a second of every process.
PYTEST := $(BIN)/python -m pytest -p no:nbval

.NOTPARALLEL:
.DEFAULT_GOAL := help

.PHONY: help
help:  ## show this
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

.PHONY: demo
demo: $(READY)  ## fetch the local model and run the quickstart notebook with it
	$(BIN)/assent fetch
	ASSENT_MODEL=$${ASSENT_MODEL:-local} $(BIN)/assent run $(QUICKSTART)

.PHONY: lab
lab: $(READY)  ## open the quickstart notebook in JupyterLab
	$(BIN)/assent fetch
	$(BIN)/jupyter lab --ServerApp.root_dir=. $(QUICKSTART)

.PHONY: test
test: unit kernel browser local  ## run every test

.PHONY: unit
unit: $(READY)  ## run the fast tests
	@echo "== unit, $$(date +%T)"
	$(PYTEST) tests --numprocesses logical --dist worksteal -m "not (kernel or browser or local or slow or shared)"

.PHONY: kernel
kernel: $(READY)  ## run the tests that start a kernel, and the slow ones
	@echo "== kernel, $$(date +%T)"
	$(PYTEST) tests -m "(kernel or slow) and not (browser or local or shared)"

.PHONY: notebooks
notebooks: $(READY)  ## execute the notebooks with the scripted model (a part of `make kernel`)
	@echo "== notebooks, $$(date +%T)"
	$(PYTEST) tests/notebooks tests/test_readme.py -m "not local"

.PHONY: browser
browser: $(READY)  ## drive JupyterLab and Notebook 7 in Chromium
	@echo "== browser, $$(date +%T)"
	$(PYTEST) tests -m "browser and not local" --timeout 120

.PHONY: local
local: $(READY)  ## run the tests of the local model
	@echo "== local, $$(date +%T)"
	$(BIN)/assent fetch
	$(PYTEST) tests -m local --timeout 600

.PHONY: check
check: $(READY)  ## format, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(READY)  ## format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: bench
bench: $(READY)  ## measure
	$(BIN)/python -m bench

.PHONY: agentdojo
agentdojo:  ## replay AgentDojo's attacks against the gate (docs/governance.md), in an environment of its own
	$(PYTHON) -m venv artifacts/agentdojo
	artifacts/agentdojo/bin/python -m pip install --quiet "agentdojo>=0.1.35,<0.2" --editable .
	artifacts/agentdojo/bin/python -m bench.agentdojo

.PHONY: peers
peers:  ## install what `make bench` compares crashes with, in an environment of its own
	$(PYTHON) -m venv artifacts/peers
	artifacts/peers/bin/python -m pip install --quiet "langgraph>=1.2,<2" "langgraph-checkpoint-sqlite>=3.1,<4"

.PHONY: lock
lock: $(READY)  ## pin every dependency anew in requirements.lock
	$(BIN)/uv pip compile pyproject.toml --all-extras --group test --group check --group build \
	  --universal --python-version 3.11 --generate-hashes --upgrade --quiet \
	  --no-emit-index-url --no-header --no-annotate --no-config --output-file requirements.lock

.PHONY: clean
clean:  ## remove the environment and everything that was made
	rm -rf .venv build dist artifacts .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Assent needs Python 3.11 or newer: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@echo "Preparing .venv: a minute or two, once."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
