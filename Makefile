# Every target sets up what it needs. Set-up runs once, and again when pyproject.toml changes.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Each program that a target starts would compile all of the packages anew.
unexport PYTHONDONTWRITEBYTECODE
PEERS := .venv-bench

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-s3 demo-governed ui smoke test test-long test-matrix fuzz torture test-s3 check format picture map bench bench-quick system clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv with everything in it

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV) (once; a minute with uv, a few with pip) ..."
	@if command -v uv > /dev/null; then \
		uv venv --quiet --allow-existing --python "$(PYTHON)" $(VENV) \
		&& uv pip install --quiet --python $(BIN)/python -e '.[dev]'; \
	else \
		$(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet -e '.[dev]'; \
	fi
	@touch $(READY)

demo: $(READY) ## load cuts of a real study through Dagster and show their history
	@$(BIN)/python -m example_project.demo

demo-s3: $(READY) ## promote the demo's project to S3 (a server on loopback) and read it with a reader's keys
	@$(BIN)/python -m example_project.demo_s3

demo-governed: $(READY) ## the life of an organization's studies, with a register, GitHub and S3 (servers on loopback)
	@$(BIN)/python -m example_project.demo_governed

ui: $(READY) ## Dagster's page over the demo's data, on http://127.0.0.1:3000
	@$(BIN)/python -m example_project.ui

smoke: $(READY) ## what tells of most mistakes, in less than a minute: all that needs neither git nor storage
	@$(BIN)/python -m pytest tests/unit

test: $(READY) ## every test
	@$(BIN)/python -m pytest

test-long: $(READY) ## every test, those too that `make test` leaves out or has a short version of
	@DATOM_LONG=1 $(BIN)/python -m pytest --timeout 3600

test-matrix: ## the tests that depend on versions, with the oldest and the newest Dagster, and pandas 2 and 3
	@$(PYTHON) .ci/matrix.py

fuzz: $(READY) ## look for documents that lead a reader somewhere new, a minute each, and keep them
	@$(BIN)/python -m pip --version > /dev/null 2>&1 && $(BIN)/python -m pip install --quiet atheris \
		|| uv pip install --quiet --python $(BIN)/python atheris
	@$(BIN)/python -m tests.resilience.hostile

torture: $(READY) ## many writers, kills and faults for about twenty minutes, and a table of what came of them
	@$(BIN)/python -m tests.resilience.torture

test-s3: $(READY) ## the S3 suites against Ceph's radosgw, which shows what moto hides (apt installs it: needs root)
	@command -v ceph-mon > /dev/null && command -v ceph-osd > /dev/null && command -v radosgw > /dev/null \
		|| { apt-get update -qq && apt-get install -y -qq --no-install-recommends ceph-mon ceph-osd radosgw > /dev/null; }
	@DATOM_S3_SERVER=radosgw $(BIN)/python -m pytest tests/s3 tests/contracts -n 1

check: $(READY) ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --no-cache

format: $(READY) ## let ruff format and fix
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

picture: $(READY) ## what the docs tell of the code: its picture, folders, paths, errors, verbs and their sessions, written from it
	@PYTHONPATH=. $(BIN)/python .ci/architecture.py
	@PYTHONPATH=. $(BIN)/python .ci/command_pages.py

map: $(READY) ## every module with the first line of its docstring
	@PYTHONPATH=. $(BIN)/python .ci/architecture.py map

# Other tools want other versions of what we use ourselves, so they have an environment of their own.
bench: $(READY) $(PEERS)/.ready ## every job against floors and other tools, in ten minutes; writes docs/benchmarks.md
	@$(BIN)/python -m benchmarks docs/benchmarks.json
	@$(PEERS)/bin/python -m benchmarks.peers 1000000 docs/benchmarks.json
	@$(PEERS)/bin/python -m benchmarks.page docs/benchmarks.json
	@$(BIN)/python -m benchmarks.scaling docs/benchmarks.json

bench-quick: $(READY) ## the same on little data, in one minute; fails where a job takes more requests, programs, bytes or lines than it should
	@$(BIN)/python -m benchmarks quick

$(PEERS)/.ready: pyproject.toml
	@echo "Setting up $(PEERS) (once) ..."
	@$(PYTHON) -m venv $(PEERS) && $(PEERS)/bin/python -m pip install --quiet -e '.[bench,example,test]'
	@touch $@

# Packages of servers would start them, and make a database, at once; the tests start their own.
system: ## what apt has to install for the tests of signatures, of Dagster's page and of a cluster (needs root)
	@command -v ssh-agent > /dev/null && command -v gpg > /dev/null && command -v openssl > /dev/null \
		|| { apt-get update -qq && apt-get install -y -qq --no-install-recommends openssh-client gnupg openssl > /dev/null; }
	@command -v chromium > /dev/null && command -v redis-server > /dev/null && ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 \
		|| { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium > /dev/null \
		&& RUNLEVEL=1 apt-get install -y -qq --no-install-recommends redis-server postgresql > /dev/null; }

clean: ## remove .venv, the demo's data and caches
	rm -rf $(VENV) $(PEERS) .venv-matrix .demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
