# `make up` starts everything, `make test` tests everything, `make help` lists the other targets.
# State is in .daybreak, or in DAYBREAK_HOME. PYTHON selects the interpreter for the environment.

PYTHON ?= python3
VENV := .venv
WORKERS ?= 2
RUN := $(VENV)/bin/python
UV := $(RUN) -m uv
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
INSTALL := $(UV) pip install --quiet --python $(RUN) --require-hashes --compile-bytecode
unexport PYTHONDONTWRITEBYTECODE  # else every process compiles again what another has compiled

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev up down clean test lint types bench chaos rehearse golden env lock

help: ## list the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

setup: $(READY) ## create or refresh the environment from the locked requirements

setup-dev: $(READY_DEV) ## the same, with the tools for development and tests

up: setup ## start everything, run the first full cycle and show the result
	@bin/daybreak up

down: ## stop everything in order
	@if [ -x $(RUN) ]; then bin/daybreak down; fi

clean: down ## stop everything and remove the state folder
	@if [ -x $(RUN) ]; then $(RUN) -m include.operations.launcher.clean; fi

test: setup-dev lint types ## run lint, types and all tests, in two processes; WORKERS=0 for one
	$(RUN) -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: setup-dev ## check format and style of the code
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .

types: setup-dev ## check the types of include/ strictly
	$(RUN) -m mypy

bench: setup ## time each stage beside its alternatives; ONLY=name for one, LONG=1 for large sizes
	$(RUN) -m bench $(if $(ONLY),--only $(ONLY)) $(if $(LONG),--long) $(if $(DATA),--data $(DATA))

chaos: setup-dev ## kill and disturb every task of the loop, compare the end; ROUNDS=20, SEED=1, ONLY=task
	$(RUN) -m tests.chaos $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

rehearse: ## rehearse every trouble on the running demo; fails when one fails
	@bin/daybreak rehearse --all

golden: setup-dev ## rewrite the committed graph, metrics and pages after an intended change
	$(RUN) -m pytest --golden

env: setup ## write .env with generated passwords for docker-compose.yaml
	@bin/daybreak env

lock: setup-dev ## compile the requirements; UPGRADE=1 takes newer versions
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt
	$(COMPILE) $(addprefix --no-emit-package ,numpy scipy tqdm threadpoolctl) requirements-bench.in -o requirements-bench.txt
	sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.txt > requirements-bootstrap.txt

COMPILE = $(UV) pip compile $(if $(UPGRADE),--upgrade) --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate

$(READY): requirements.txt requirements-bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Daybreak needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo missing)." \
	       "Hint: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(RUN) -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(UV) --version 2>/dev/null | grep -qF "$$(sed -n 's/^uv==\([^ ]*\).*/uv \1/p' requirements-bootstrap.txt)" || \
	  $(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt
	@echo "Installing the locked environment into $(VENV); the first time takes a minute or two."
	@$(INSTALL) -r requirements.txt
	@touch $@

$(READY_DEV): $(READY) requirements-dev.txt
	@$(INSTALL) -r requirements-dev.txt
	@touch $@
